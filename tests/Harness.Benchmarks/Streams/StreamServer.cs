using System.Runtime.CompilerServices;
using Harness.Generations;
using Harness.Server;
using Harness.Workflows;

namespace Harness.Benchmarks.Streams;

/// <summary>
/// The server that <see cref="StreamMeasurement"/> measures: agents that answer as fast as they are asked for, or 200 tokens a second, and a
/// workflow that waits until everybody watches and then tells of many things.
/// </summary>
internal static class StreamServer
{
    /// <summary>The argument that makes this program the server.</summary>
    public const string Command = "streams-server";

    /// <summary>Tokens of the agent <c>fast</c>.</summary>
    public const int FastTokens = 1_000;

    /// <summary>Tokens of the agent <c>paced</c>: ten seconds of them.</summary>
    public const int PacedTokens = 2_000;

    /// <summary>Tokens of the agent <c>warm</c>, which is as fast.</summary>
    public const int WarmTokens = 1_000;

    /// <summary>Tokens a second of the agent <c>paced</c>.</summary>
    public const int PacedRate = 200;

    /// <summary>Tokens of the agent <c>busy</c>, which does not wait either.</summary>
    public const int BusyTokens = 20_000;

    /// <summary>Tokens of the agent <c>long</c>.</summary>
    public const int LongTokens = 200_000;

    /// <summary>Runs until it is killed; its first line names its address.</summary>
    public static async Task<int> RunAsync()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Harness:Server:Port"] = "0",
            ["Harness:Server:LogFormat"] = "json",
            ["Harness:Store:MemoryOnly"] = "true",
            ["Harness:Executions:MaxFinished"] = "50",
        };
        await using var app = HarnessServer.Create([], settings, services => services.AddHarness()
            .AddAgent(new AgentDefinition { Id = "one", ChatModel = new TokenModel(1, perSecond: 0) })
            .AddAgent(new AgentDefinition { Id = "fast", ChatModel = new TokenModel(FastTokens, perSecond: 0) })
            .AddAgent(new AgentDefinition { Id = "busy", ChatModel = new TokenModel(BusyTokens, perSecond: 0) })
            .AddAgent(new AgentDefinition { Id = "long", ChatModel = new TokenModel(LongTokens, perSecond: 0) })
            .AddAgent(new AgentDefinition { Id = "warm", ChatModel = new TokenModel(WarmTokens, PacedRate) })
            .AddAgent(new AgentDefinition { Id = "paced", ChatModel = new TokenModel(PacedTokens, PacedRate) })
            .AddWorkflow(Telling()));
        await app.StartAsync();
        Console.WriteLine($"listening {app.Urls.First()}");
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static Workflow Telling() => Workflow.Begin<int>("telling")
        .AndThen<int>("wait", (count, context, _) => Task.FromResult<StepOutcome<int>>(context.IsResumed ? count : context.Suspend("Until all watch")))
        .AndThen("tell", async (count, context, stop) =>
        {
            for (var number = 0; number < count; number++)
            {
                await context.EmitAsync("tick", new { number }, stop);
            }

            return count;
        })
        .End();

    private sealed class TokenModel(int tokens, int perSecond) : IChatModel
    {
        public async IAsyncEnumerable<ModelPart> StreamAsync(ChatPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var began = TimeProvider.System.GetTimestamp();
            for (var token = 0; token < tokens; token++)
            {
                // By the time since the beginning, not since the token before: what one is late the next need not be.
                var wait = perSecond == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)token / perSecond) - TimeProvider.System.GetElapsedTime(began);
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait, cancellationToken);
                }

                cancellationToken.ThrowIfCancellationRequested();
                yield return new ModelText($"tok{token} ");
            }

            yield return new ModelFinish("stop", new TokenUsage(1, tokens));
        }
    }
}

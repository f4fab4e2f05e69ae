using System.Runtime.CompilerServices;
using Harness.Generations;
using Harness.Server;

namespace Harness.Benchmarks;

/// <summary>A server with agents that answer as fast as they are asked for, or one token every 5 ms.</summary>
internal static class GenerationServer
{
    /// <summary>The argument that makes this program the server.</summary>
    public const string Command = "streams-server";

    /// <summary>Runs until it is killed; its first line names its address.</summary>
    public static async Task<int> RunAsync()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Harness:Server:Port"] = "0",
            ["Harness:Server:LogFormat"] = "json",
            ["Harness:Executions:MaxFinished"] = "0",
        };
        await using var app = HarnessServer.Create([], settings, services => services.AddHarness()
            .AddAgent(new AgentDefinition { Id = "fast", ChatModel = new TokenModel(1_000, TimeSpan.Zero) })
            .AddAgent(new AgentDefinition { Id = "long", ChatModel = new TokenModel(300_000, TimeSpan.Zero) })
            .AddAgent(new AgentDefinition { Id = "paced", ChatModel = new TokenModel(200, TimeSpan.FromMilliseconds(5)) }));
        await app.StartAsync();
        Console.WriteLine($"listening {app.Urls.First()}");
        await app.WaitForShutdownAsync();
        return 0;
    }

    private sealed class TokenModel(int tokens, TimeSpan pace) : IChatModel
    {
        public async IAsyncEnumerable<ModelPart> StreamAsync(ChatPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            using var ticks = pace > TimeSpan.Zero ? new PeriodicTimer(pace) : null;
            for (var token = 0; token < tokens; token++)
            {
                if (ticks is not null)
                {
                    await ticks.WaitForNextTickAsync(cancellationToken);
                }

                cancellationToken.ThrowIfCancellationRequested();
                yield return new ModelText($"tok{token} ");
            }

            yield return new ModelFinish("stop", new TokenUsage(1, tokens));
        }
    }
}

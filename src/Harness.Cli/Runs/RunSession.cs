using Harness.Agents;
using Harness.Suites;

namespace Harness.Cli.Runs;

/// <summary>One <c>harness run</c>, from the suite's file to the exit code.</summary>
internal static class RunSession
{
    /// <summary>How long a cancelled run may take to send its result: longer than the engine lets a body unwind.</summary>
    private static readonly TimeSpan CancelTimeLimit = TimeSpan.FromSeconds(20);

    public static async Task<int> RunAsync(RunRequest request)
    {
        using var interruption = new Interruption();
        try
        {
            var suite = Read(request);
            await using var run = await StartAsync(request, suite, interruption.Token);
            var report = await WatchAsync(request, suite, run, interruption.Token);
            return interruption.Token.IsCancellationRequested ? interruption.ExitCode : report.ExitCode;
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return interruption.ExitCode;
        }
        catch (RunException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.CouldNotRun;
        }
    }

    private static Suite Read(RunRequest request)
    {
        try
        {
            var suite = SuiteReader.ReadPath(request.Path);
            return suite with { FailFast = request.FailFast ?? suite.FailFast, Parallel = request.Parallel ?? suite.Parallel };
        }
        catch (SuiteFormatException exception)
        {
            throw new RunException(exception.Message, exception);
        }
    }

    private static async Task<ISuiteRun> StartAsync(RunRequest request, Suite suite, CancellationToken cancellationToken)
    {
        if (request.Server is null)
        {
            return await LocalRun.StartAsync(suite, request.AgentFlags);
        }

        var body = SuiteRequestWriter.Write(suite with { Agent = Complete(suite.Agent, request.AgentFlags) });
        return await RemoteRun.StartAsync(request.Server, body, cancellationToken);
    }

    /// <summary>What the flags say of the agent, in the request: a server knows nothing of this command line.</summary>
    private static AgentSettings Complete(AgentSettings agent, IReadOnlyDictionary<string, string?> flags)
    {
        string[] serversOwn = [nameof(AgentOptions.OpenAIApiKey), nameof(AgentOptions.OpenAIBaseUrl), nameof(AgentOptions.ScriptFile)];
        if (serversOwn.Any(name => Flag(name) is not null))
        {
            throw new RunException("--open-api-key, --openai-base-url and --agent-script are settings of the server: give them to harness server.");
        }

        return agent with
        {
            Connector = agent.Connector ?? Flag(nameof(AgentOptions.Default)),
            ApiKey = agent.ApiKey ?? Flag(nameof(AgentOptions.VoiceflowApiKey)),
            Subdomain = agent.Subdomain ?? Flag(nameof(AgentOptions.VoiceflowSubdomain)),
            RuntimeUrl = agent.RuntimeUrl ?? Flag(nameof(AgentOptions.VoiceflowRuntimeUrl)),
            ApiUrl = agent.ApiUrl ?? Flag(nameof(AgentOptions.VoiceflowApiUrl)),
            AnalyticsUrl = agent.AnalyticsUrl ?? Flag(nameof(AgentOptions.VoiceflowAnalyticsUrl)),
        };

        string? Flag(string name) => flags.GetValueOrDefault($"{AgentOptions.Section}:{name}");
    }

    private static async Task<RunReport> WatchAsync(RunRequest request, Suite suite, ISuiteRun run, CancellationToken interrupted)
    {
        // Watching goes on after the interruption, because the result of a cancelled run still comes.
        using var giveUp = new CancellationTokenSource();
        await using var onInterrupt = interrupted.Register(() =>
        {
            giveUp.CancelAfter(CancelTimeLimit);
            _ = CancelAsync(run); // catches its own faults
        });

        var lines = new List<string>();
        var interactions = suite.Tests.Sum(entry => entry.Test.Interactions.Count);
        var view = RunView.OnConsole(request.Verbose);
        var result = await view.WatchAsync(suite.Name, interactions, run, lines.Add, giveUp.Token);

        var report = RunReport.From(suite.Name, result.Data);
        view.ShowReport(report);
        foreach (var output in request.Outputs)
        {
            await output.WriteAsync(report, lines);
        }

        return report;
    }

    private static async Task CancelAsync(ISuiteRun run)
    {
        try
        {
            await run.CancelAsync();
        }
        catch (Exception exception) when (exception is RunException or ObjectDisposedException)
        {
            // The reader of the events meets the same lost connection and says so.
        }
    }
}

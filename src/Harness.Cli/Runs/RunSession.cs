using Harness.Agents;
using Harness.Suites;

namespace Harness.Cli.Runs;

/// <summary>One <c>harness run</c>, from what is to run to the exit code.</summary>
internal static class RunSession
{
    /// <summary>How long a cancelled run may take to send its result: longer than the engine lets a body unwind.</summary>
    private static readonly TimeSpan CancelTimeLimit = TimeSpan.FromSeconds(20);

    public static async Task<int> RunAsync(RunRequest request)
    {
        // Its reports and its exit code are there for others than who reads its lines.
        StandardOutput.Use(endsWithReader: false);
        using var interruption = new Interruption();
        try
        {
            var started = await StartAsync(request, interruption.Token);
            await using var run = started.Run;
            var report = await WatchAsync(request, started, interruption.Token);
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

    private static async Task<StartedRun> StartAsync(RunRequest request, CancellationToken cancellationToken)
    {
        if (request.Workflow is { } workflow)
        {
            return await workflow.StartAsync(request.AgentFlags);
        }

        var suite = Read(request);
        return new StartedRun(
            await StartAsync(request, suite, cancellationToken), suite.Name, suite.Tests.Sum(entry => entry.Test.Interactions.Count));
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

    private static async Task<RunReport> WatchAsync(RunRequest request, StartedRun started, CancellationToken interrupted)
    {
        // Watching goes on after the interruption, because the result of a cancelled run still comes.
        using var giveUp = new CancellationTokenSource();
        await using var onInterrupt = interrupted.Register(() =>
        {
            giveUp.CancelAfter(CancelTimeLimit);
            _ = CancelAsync(started.Run); // catches its own faults
        });

        var lines = new List<string>();
        var view = RunView.OnConsole(request.Verbose);
        var result = await view.WatchAsync(started.Name, started.Interactions, started.Run, lines.Add, giveUp.Token);

        var report = RunReport.From(started.Name, result.Data);
        view.ShowReport(report);
        view.ShowOutput(result.Data);
        await RunOutput.WriteAllAsync(request.Outputs, report, lines);
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

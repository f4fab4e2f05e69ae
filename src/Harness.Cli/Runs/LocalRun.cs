using System.Runtime.CompilerServices;
using Harness.Agents;
using Harness.Cli.Hub;
using Harness.Executions;
using Harness.Suites;
using Harness.Workflows;
using Microsoft.Extensions.Options;

namespace Harness.Cli.Runs;

/// <summary>An execution in this process, on the same engine as in the server. One that is suspended ends: nobody could resume it.</summary>
internal sealed class LocalRun : ISuiteRun
{
    private readonly IHost _host;
    private readonly ExecutionRegistry _executions;
    private readonly Execution _execution;

    private LocalRun(IHost host, ExecutionRegistry executions, Execution execution) =>
        (_host, _executions, _execution) = (host, executions, execution);

    public string Place => "here";

    /// <summary>What the execution is called.</summary>
    public string Name => _execution.Request.Name;

    /// <exception cref="RunException">The suite's agent cannot be had, or a setting is wrong.</exception>
    public static Task<LocalRun> StartAsync(Suite suite, IReadOnlyDictionary<string, string?> settings) =>
        StartAsync(() => CreateHost(settings), services => services.GetRequiredService<SuiteRunner>().Plan(suite));

    /// <param name="createHost">Makes what it runs in, which is not started: nothing listens.</param>
    /// <param name="plan">Says what runs.</param>
    /// <exception cref="RunException">It cannot run as it is.</exception>
    public static async Task<LocalRun> StartAsync(Func<IHost> createHost, Func<IServiceProvider, ExecutionPlan> plan)
    {
        IHost? host = null;
        try
        {
            host = createHost();
            var executions = host.Services.GetRequiredService<ExecutionRegistry>();
            return new LocalRun(host, executions, executions.Start(plan(host.Services)));
        }
        catch (Exception exception)
        {
            await ((host as IAsyncDisposable)?.DisposeAsync() ?? ValueTask.CompletedTask);
            // The last is a setting that is no number or duration, in the words of the configuration.
            if (exception is ExecutionInputException or AgentException or WorkflowFormatException or OptionsValidationException
                or InvalidOperationException { InnerException: FormatException or ArgumentException })
            {
                throw new RunException(exception.Message, exception);
            }

            throw;
        }
    }

    public string ToResume(string id) =>
        "A run here ends with that. One that is to be resumed runs on a server: harness server --workflows DIR, then this command with --server URL";

    public async IAsyncEnumerable<HubEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var document in _execution.Log.ReadEventsAsync(1, cancellationToken))
        {
            var next = HubEvent.Parse(document.Span);
            yield return next;
            if (next.IsSuspension)
            {
                await CancelAsync();
            }
        }
    }

    public Task CancelAsync()
    {
        // False says that it ended in this moment, and then its result is on its way all the same.
        _executions.TryCancel(_execution);
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _executions.StopAsync(CancellationToken.None);
        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    private static IHost CreateHost(IReadOnlyDictionary<string, string?> settings)
    {
        var variable = AgentEnvironment.WithFile(Environment.GetEnvironmentVariable, AgentEnvironment.ReadFile(".env"));
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration
            .AddEnvironmentVariables()
            .AddInMemoryCollection(AgentEnvironment.Read(variable))
            .AddInMemoryCollection(LimitsOfOneReader)
            .AddInMemoryCollection(settings);
        builder.Services.AddHarness();
        return builder.Build();
    }

    /// <summary>
    /// The server's limits keep results small for clients that read no more than 1 MiB. Here the only client is this process,
    /// and its reports want every test.
    /// </summary>
    public static Dictionary<string, string?> LimitsOfOneReader => new()
    {
        [$"{ExecutionOptions.Section}:{nameof(ExecutionOptions.MaxRecordBytes)}"] = "16777216",
        [$"{ExecutionOptions.Section}:{nameof(ExecutionOptions.MaxDetailsBytes)}"] = "16777216",
    };
}

using System.Runtime.CompilerServices;
using Harness.Agents;
using Harness.Cli.Hub;
using Harness.Executions;
using Harness.Suites;
using Microsoft.Extensions.Options;

namespace Harness.Cli.Runs;

/// <summary>A suite that runs in this process, on the same engine as in the server.</summary>
internal sealed class LocalRun : ISuiteRun
{
    private readonly ServiceProvider _services;
    private readonly Execution _execution;

    private LocalRun(ServiceProvider services, Execution execution) => (_services, _execution) = (services, execution);

    public string Place => "here";

    /// <exception cref="RunException">The suite's agent cannot be had, or a setting is wrong.</exception>
    public static async Task<LocalRun> StartAsync(Suite suite, IReadOnlyDictionary<string, string?> settings)
    {
        ServiceProvider? services = null;
        try
        {
            services = CreateServices(settings);
            var plan = services.GetRequiredService<SuiteRunner>().Plan(suite);
            return new LocalRun(services, services.GetRequiredService<ExecutionRegistry>().Start(plan));
        }
        catch (Exception exception) when (exception is ExecutionInputException or AgentException or OptionsValidationException)
        {
            await (services?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw new RunException(exception.Message, exception);
        }
    }

    public async IAsyncEnumerable<HubEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var document in _execution.Log.ReadEventsAsync(1, cancellationToken))
        {
            yield return HubEvent.Parse(document.Span);
        }
    }

    public Task CancelAsync()
    {
        // False says that it ended in this moment, and then its result is on its way all the same.
        _services.GetRequiredService<ExecutionRegistry>().TryCancel(_execution);
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.GetRequiredService<ExecutionRegistry>().StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }

    private static ServiceProvider CreateServices(IReadOnlyDictionary<string, string?> settings)
    {
        var variable = AgentEnvironment.WithFile(Environment.GetEnvironmentVariable, AgentEnvironment.ReadFile(".env"));
        var configuration = new ConfigurationBuilder()
            .AddEnvironmentVariables()
            .AddInMemoryCollection(AgentEnvironment.Read(variable))
            .AddInMemoryCollection(LimitsOfOneReader)
            .AddInMemoryCollection(settings)
            .Build();
        return new ServiceCollection()
            .AddSingleton<IConfiguration>(configuration)
            .AddLogging()
            .AddHarness().Services
            .BuildServiceProvider();
    }

    /// <summary>
    /// The server's limits keep results small for clients that read no more than 1 MiB. Here the only client is this process,
    /// and its reports want every test.
    /// </summary>
    private static Dictionary<string, string?> LimitsOfOneReader => new()
    {
        [$"{ExecutionOptions.Section}:{nameof(ExecutionOptions.MaxRecordBytes)}"] = "16777216",
        [$"{ExecutionOptions.Section}:{nameof(ExecutionOptions.MaxDetailsBytes)}"] = "16777216",
    };
}

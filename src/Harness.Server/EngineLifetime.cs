using Harness.Executions;
using Harness.Server.Transports;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>
/// Ends the engine before the web server: executions are cancelled, their results written and sent, and only then connections are closed.
/// </summary>
internal sealed partial class EngineLifetime(
    ExecutionRegistry executions,
    IEnumerable<IExecutionKind> kinds,
    OpenConnections connections,
    IHostApplicationLifetime host,
    IOptions<ServerOptions> options,
    ILogger<EngineLifetime> logger)
    : IHostedLifecycleService, IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _hurry = new();
    private volatile Task? _end;

    /// <summary>Whether new executions are refused because the server stops.</summary>
    public bool IsStopping => _end is not null || host.ApplicationStopping.IsCancellationRequested;

    /// <summary>
    /// Cancels what runs and waits for the results, <see cref="ServerOptions.ShutdownTimeLimit"/> at most; then sends what is left and closes
    /// what is open. Whoever calls first begins it, all others wait for the same end.
    /// </summary>
    public Task EndAsync()
    {
        lock (_gate)
        {
            return _end ??= Task.Run(EndOnceAsync);
        }
    }

    /// <summary>Ends the engine, unless a signal has done so already.</summary>
    /// <param name="cancellationToken">The host waits no longer: everything is cut short.</param>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await using var hurry = cancellationToken.Register(_hurry.Cancel);
        await EndAsync();
    }

    /// <summary>Opens the store, before the server listens.</summary>
    /// <exception cref="StoreException">It cannot be used.</exception>
    public Task StartingAsync(CancellationToken cancellationToken) => executions.OpenAsync(kinds, cancellationToken);

    /// <summary>Nothing: the engine needs no start.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nothing: the engine needs no start.</summary>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nothing: the engine has ended by now.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nothing: the engine has ended by now.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _hurry.Dispose();

    private async Task EndOnceAsync()
    {
        LogStopping();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_hurry.Token);
        limit.CancelAfter(options.Value.ShutdownTimeLimit);
        try
        {
            await executions.StopAsync(limit.Token);
            LogStopped();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            LogGivenUp(options.Value.ShutdownTimeLimit.TotalSeconds);
        }

        // Also after executions that did not end: their watchers are told that the server goes.
        await connections.CloseAllAsync(_hurry.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(1, LogLevel.Information, "Stopping: executions that run are cancelled; a second signal ends the process at once")]
    private partial void LogStopping();

    [LoggerMessage(2, LogLevel.Information, "All executions have ended")]
    private partial void LogStopped();

    [LoggerMessage(3, LogLevel.Warning, "Executions did not end within {Seconds:0} s; stopping without their results")]
    private partial void LogGivenUp(double seconds);
}

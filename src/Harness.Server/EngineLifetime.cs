using Harness.Executions;
using Harness.Server.Transports;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>
/// Ends the engine before the web server: executions are cancelled, their results written and sent, and only then sockets are closed.
/// </summary>
internal sealed partial class EngineLifetime(
    ExecutionRegistry executions,
    OpenConnections connections,
    IHostApplicationLifetime host,
    IOptions<ServerOptions> options,
    ILogger<EngineLifetime> logger)
    : IHostedLifecycleService
{
    private volatile bool _isStopping;

    /// <summary>Whether new executions are refused because the server stops.</summary>
    public bool IsStopping => _isStopping || host.ApplicationStopping.IsCancellationRequested;

    /// <summary>
    /// Cancels what runs and waits for the results, <see cref="ServerOptions.ShutdownTimeLimit"/> at most; then closes the sockets.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        LogStopping();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
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
        await connections.CloseAllAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Opens the store, before the server listens.</summary>
    /// <exception cref="StoreException">It cannot be used.</exception>
    public Task StartingAsync(CancellationToken cancellationToken) => executions.OpenAsync(cancellationToken);

    /// <summary>Nothing: the engine needs no start.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nothing: the engine needs no start.</summary>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nothing: the engine has ended by now.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nothing: the engine has ended by now.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Information, "Stopping: executions that run are cancelled; a second signal ends the process at once")]
    private partial void LogStopping();

    [LoggerMessage(2, LogLevel.Information, "All executions have ended")]
    private partial void LogStopped();

    [LoggerMessage(3, LogLevel.Warning, "Executions did not end within {Seconds:0} s; stopping without their results")]
    private partial void LogGivenUp(double seconds);
}

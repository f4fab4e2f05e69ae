using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>
/// Ends the server on a signal: on the first the engine, while every transport still works, and only then the web server; on the second the
/// process, at once, for people who do not want to wait. The host's own lifetime stops everything together, and SignalR then drops its
/// connections before their last events are out.
/// </summary>
/// <param name="engine">What ends first.</param>
/// <param name="host">What ends then.</param>
/// <param name="options">How long the host may take.</param>
/// <param name="exit">Ends the process with an exit code: <see cref="Environment.Exit"/>.</param>
internal sealed class SignalLifetime(
    EngineLifetime engine, IHostApplicationLifetime host, IOptions<HostOptions> options, Action<int> exit)
    : IHostLifetime, IDisposable
{
    private readonly ManualResetEventSlim _ended = new();
    private PosixSignalRegistration[] _registrations = [];
    private Task _stopping = Task.CompletedTask;
    private int _seen;

    /// <summary>Listens for SIGINT, SIGQUIT and SIGTERM from now on.</summary>
    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Handle(context, number: 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Handle(context, number: 3)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Handle(context, number: 15)),
        ];
        return Task.CompletedTask;
    }

    /// <summary>Waits until the stop that a signal began has told the host: nothing of it outlives the host.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _stopping.WaitAsync(cancellationToken);

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        // Not disposed: a handler may wait for it still, and it holds nothing but memory.
        _ended.Set();
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    /// <summary>Takes note of a signal; 128 + its number is how a shell reads "ended by this signal".</summary>
    internal void Count(int number)
    {
        var seen = Interlocked.Increment(ref _seen);
        if (seen == 1)
        {
            _stopping = Task.Run(StopAsync);
        }
        else
        {
            exit(128 + number);
        }
    }

    private async Task StopAsync()
    {
        try
        {
            await engine.EndAsync();
        }
        finally
        {
            host.StopApplication();
        }
    }

    private void Handle(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        Count(number);
        if (OperatingSystem.IsWindows() && context.Signal == PosixSignal.SIGTERM)
        {
            // Windows ends the process when this handler returns: it does when the host is gone, or has taken too long.
            _ended.Wait(options.Value.ShutdownTimeout);
        }
    }
}

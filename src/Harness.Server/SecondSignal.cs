using System.Runtime.InteropServices;

namespace Harness.Server;

/// <summary>
/// Ends the process at once when a stop is asked for a second time, for people who do not want to wait. The first signal is the host's.
/// </summary>
internal sealed class SecondSignal : IDisposable
{
    private readonly Action<int> _exit;
    private readonly PosixSignalRegistration[] _registrations;
    private int _seen;

    /// <summary>Listens for SIGINT and SIGTERM until it is disposed.</summary>
    /// <param name="exit">Ends the process with an exit code: <see cref="Environment.Exit"/>.</param>
    public SecondSignal(Action<int> exit)
    {
        _exit = exit;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Count(number: 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Count(number: 15)),
        ];
    }

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    /// <summary>Takes note of a signal; 128 + its number is how a shell reads "ended by this signal".</summary>
    internal void Count(int number)
    {
        if (Interlocked.Increment(ref _seen) > 1)
        {
            _exit(128 + number);
        }
    }
}

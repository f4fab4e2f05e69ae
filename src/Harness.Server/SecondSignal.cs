using System.Runtime.InteropServices;

namespace Harness.Server;

/// <summary>
/// Ends the process at once when a stop is asked for a second time, for people who do not want to wait. The first signal is the host's.
/// </summary>
internal sealed class SecondSignal : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private int _seen;

    /// <summary>Listens for SIGINT and SIGTERM until it is disposed.</summary>
    public SecondSignal() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Count(number: 2)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Count(number: 15)),
    ];

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    // 128 + the signal's number is how a shell reads "ended by this signal".
    private void Count(int number)
    {
        if (Interlocked.Increment(ref _seen) > 1)
        {
            Environment.Exit(128 + number);
        }
    }
}

using System.Runtime.InteropServices;

namespace Harness.Cli.Runs;

/// <summary>Ctrl-C and its like: the first one cancels a token, the second one ends the process at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _number;

    public Interruption() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Interrupt(context, 2)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Interrupt(context, 15)),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>What a shell expects of a process that this signal ended.</summary>
    public int ExitCode => Cli.ExitCode.Signalled + _number;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Interrupt(PosixSignalContext context, int number)
    {
        // Without Cancel the system does what it does to a process that has no handler.
        if (Interlocked.CompareExchange(ref _number, number, 0) == 0)
        {
            context.Cancel = true;
            _source.Cancel();
        }
    }
}

namespace Harness.Cli;

/// <summary>What the process says to the shell that started it.</summary>
internal static class ExitCode
{
    /// <summary>All tests passed.</summary>
    public const int Passed = 0;

    /// <summary>At least one test failed, or someone else cancelled the run.</summary>
    public const int Failed = 1;

    /// <summary>Nothing could be run: bad usage, unreadable suite, no agent, no server.</summary>
    public const int CouldNotRun = 2;

    /// <summary>A shell adds the number of the signal that ended a process to this: 130 is Ctrl-C.</summary>
    public const int Signalled = 128;

    /// <summary>Whatever read the output has gone: as a shell's own tools end, by the signal PIPE.</summary>
    public const int NobodyReads = Signalled + 13;
}

namespace Harness.Cli.Runs;

/// <summary>A suite could not be run. The message is for the person at the terminal: it says what to do.</summary>
internal sealed class RunException(string message, Exception? innerException = null) : Exception(message, innerException);

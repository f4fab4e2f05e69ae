namespace Harness.Cli;

/// <summary>What the command line asks for could not be done. The message is for the person at the terminal: it says what to do.</summary>
internal class RunException(string message, Exception? innerException = null) : Exception(message, innerException);

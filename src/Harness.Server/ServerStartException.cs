namespace Harness.Server;

/// <summary>The server cannot start as configured. The message is the one line its user reads.</summary>
internal sealed class ServerStartException(string message, Exception? innerException = null) : Exception(message, innerException);

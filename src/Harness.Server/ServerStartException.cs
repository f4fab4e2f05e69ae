namespace Harness.Server;

/// <summary>The server cannot be built or started as configured. The message is one line that says what to change.</summary>
public sealed class ServerStartException : Exception
{
    /// <summary>The message is what the server's user reads.</summary>
    public ServerStartException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

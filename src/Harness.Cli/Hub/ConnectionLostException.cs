namespace Harness.Cli.Hub;

/// <summary>The connection is gone, and another one may do: the network, a restart, a close code that invites to come back.</summary>
/// <param name="message">What happened, for people.</param>
/// <param name="retryAfter">What the server asks to wait at least.</param>
/// <param name="innerException">The cause.</param>
internal sealed class ConnectionLostException(string message, TimeSpan retryAfter = default, Exception? innerException = null)
    : RunException(message, innerException)
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

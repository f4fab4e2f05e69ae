namespace Harness.Server;

/// <summary>How the server's own log is written to the standard output.</summary>
public enum LogFormat
{
    /// <summary>Lines for people.</summary>
    Text,

    /// <summary>One JSON object per line.</summary>
    Json,
}

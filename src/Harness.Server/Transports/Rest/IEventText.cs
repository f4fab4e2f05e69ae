using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>The words of one stream of server-sent events; how it writes a frame is its format. For one thread at a time.</summary>
internal interface IEventText : IFrameFormat
{
    /// <summary>True when the stream ends here although the execution goes on.</summary>
    bool IsDone { get; }

    /// <summary>First words.</summary>
    void WriteOpening();

    /// <summary>A sign of life.</summary>
    void WriteHeartbeat();

    /// <summary>Says that events are gone.</summary>
    void WriteTruncation(LogRange range);

    /// <summary>Last words: there is no more.</summary>
    void WriteEnd();
}

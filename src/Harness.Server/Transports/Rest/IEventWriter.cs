using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>Words the events of one execution as server-sent events, for one client.</summary>
internal interface IEventWriter
{
    /// <summary>First words of the stream, if there are any; the answer's headers go out with them.</summary>
    void WriteOpening();

    /// <summary>A comment, so that proxies and clients see that the stream lives.</summary>
    void WriteHeartbeat();

    /// <summary>Everything a cursor took.</summary>
    void Write(LogRange range);

    /// <summary>Last words, if there are any.</summary>
    void WriteEnd();
}

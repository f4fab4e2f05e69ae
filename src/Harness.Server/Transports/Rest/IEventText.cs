using System.Buffers;
using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>
/// The words of one stream of server-sent events; how it writes a frame is its format. It knows no connection: others may use what it wrote
/// when its own has gone.
/// </summary>
internal interface IEventText : IFrameFormat
{
    /// <summary>True when the stream ends here although the execution goes on.</summary>
    bool IsDone { get; }

    /// <summary>First words.</summary>
    void WriteOpening(IBufferWriter<byte> output);

    /// <summary>A sign of life.</summary>
    void WriteHeartbeat(IBufferWriter<byte> output);

    /// <summary>Says that events are gone.</summary>
    void WriteTruncation(LogRange range, IBufferWriter<byte> output);

    /// <summary>Last words: there is no more.</summary>
    void WriteEnd(IBufferWriter<byte> output);
}

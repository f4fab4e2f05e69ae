using System.Buffers;

namespace Harness.Executions;

/// <summary>
/// How the frames of a log look to readers of another transport. What one reader has made, others of the same log get
/// (<see cref="LogCursor.TryRender"/>): what is written may depend on the frame and on the execution, and on nothing else.
/// </summary>
public interface IFrameFormat
{
    /// <summary>Equal for formats that write the same of the same log; null: nobody else writes this, it is not shared.</summary>
    object? Key { get; }

    /// <summary>Writes one frame. Nothing at all, if these readers do not want it. Several threads may call it at once where it has a key.</summary>
    /// <param name="json">The frame's JSON, as <c>/ws</c> sends it.</param>
    /// <param name="sequence">Its sequence.</param>
    /// <param name="output">Where it goes.</param>
    void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output);
}

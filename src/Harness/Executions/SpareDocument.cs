using System.Buffers;

namespace Harness.Executions;

/// <summary>
/// Memory for a document that is copied elsewhere when it is whole: one for each thread, so that it is still in the processor's cache. What has
/// grown beyond <see cref="LargestKept"/> is left to the collector.
/// </summary>
internal static class SpareDocument
{
    private const int LargestKept = 256 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _spare;

    /// <summary>An empty one, for the caller alone until <see cref="Return"/>, on whichever thread.</summary>
    public static ArrayBufferWriter<byte> Rent()
    {
        var document = _spare ?? new ArrayBufferWriter<byte>();
        _spare = null;
        return document;
    }

    /// <summary>Takes it back; what it holds is gone.</summary>
    public static void Return(ArrayBufferWriter<byte> document)
    {
        if (document.Capacity <= LargestKept)
        {
            document.ResetWrittenCount();
            _spare = document;
        }
    }
}

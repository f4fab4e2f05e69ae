namespace Harness.Benchmarks.Transports;

/// <summary>The messages of a SignalR hub in the frames that carry them: one may go over the ends of frames, and one frame may have many.</summary>
/// <param name="isPacked">MessagePack behind lengths; otherwise JSON before separators.</param>
/// <param name="handler">Gets each message that is not the answer to the greeting.</param>
internal sealed class HubRecords(bool isPacked, HubRecords.RecordHandler handler)
{
    private const byte Separator = 0x1e;

    private byte[] _rest = [];
    private int _restLength;

    /// <summary>Gets one message.</summary>
    public delegate void RecordHandler(ReadOnlySpan<byte> record, Arrivals arrivals);

    /// <summary>Whether the server has taken the greeting.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Takes the payload of a frame.</summary>
    public void Take(ReadOnlySpan<byte> payload, Arrivals arrivals)
    {
        if (_restLength > 0)
        {
            Keep(payload, _restLength);
            payload = _rest.AsSpan(0, _restLength + payload.Length);
        }

        while (TryMeasure(payload, out var start, out var length, out var whole))
        {
            if (IsReady)
            {
                handler(payload.Slice(start, length), arrivals);
            }

            IsReady = true;
            payload = payload[whole..];
        }

        Keep(payload, 0);
        _restLength = payload.Length;
    }

    private void Keep(ReadOnlySpan<byte> bytes, int at)
    {
        if (_rest.Length < at + bytes.Length)
        {
            Array.Resize(ref _rest, 2 * (at + bytes.Length));
        }

        bytes.CopyTo(_rest.AsSpan(at));
    }

    // The answer to the greeting is JSON in both.
    private bool TryMeasure(ReadOnlySpan<byte> bytes, out int start, out int length, out int whole)
    {
        start = 0;
        if (!isPacked || !IsReady)
        {
            length = bytes.IndexOf(Separator);
            whole = length + 1;
            return length >= 0;
        }

        length = 0;
        for (var shift = 0; start < bytes.Length; shift += 7)
        {
            length |= (bytes[start] & 0x7f) << shift;
            if (bytes[start++] < 0x80)
            {
                whole = start + length;
                return bytes.Length >= whole;
            }
        }

        whole = 0;
        return false;
    }
}

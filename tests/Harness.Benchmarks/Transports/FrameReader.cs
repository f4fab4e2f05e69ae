using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics;

namespace Harness.Benchmarks.Transports;

/// <summary>
/// Counts the messages one socket gets, from their headers alone, so that a core of its own is always faster than the server. The last one
/// is looked into: its sequence says whether any was lost.
/// </summary>
internal sealed class FrameReader
{
    private const byte RecordEnd = 0x1e;
    private const int LongestStamp = 256;

    private readonly LatencyCounts? _latency;
    private readonly bool _isHub;
    private byte[] _rest = [];

    // Records of the hub go over the ends of frames.
    private byte[] _piece = [];
    private int _restLength;

    /// <param name="isHub">Whether a message is a record of SignalR's JSON protocol and not a frame of the socket.</param>
    /// <param name="latency">Gets the age of each line; null: nothing is measured.</param>
    public FrameReader(bool isHub, LatencyCounts? latency) => (_isHub, _latency) = (isHub, latency);

    /// <summary>Lines so far.</summary>
    public long Lines { get; private set; }

    /// <summary>Sequence of the result; 0 before it.</summary>
    public long LastSequence { get; private set; }

    /// <summary>The id in the first message that has one.</summary>
    public string? Id { get; private set; }

    /// <summary>Room behind what is left from before, in memory that all readers of this thread share.</summary>
    public Span<byte> Prepare(ref byte[] shared)
    {
        if (shared.Length < 2 * _restLength + 64 * 1024)
        {
            shared = new byte[2 * _restLength + 256 * 1024];
        }

        _rest.AsSpan(0, _restLength).CopyTo(shared);
        return shared.AsSpan(_restLength);
    }

    /// <summary>Takes what has come.</summary>
    public void Take(byte[] shared, int received)
    {
        var bytes = shared.AsSpan(0, _restLength + received);
        var now = _latency is null ? 0 : Stopwatch.GetTimestamp();
        while (TryMeasure(bytes, out var start, out var length))
        {
            Count(bytes.Slice(start, length), now);
            bytes = bytes[(start + length)..];
        }

        if (_rest.Length < bytes.Length)
        {
            _rest = new byte[2 * bytes.Length];
        }

        bytes.CopyTo(_rest);
        _restLength = bytes.Length;
    }

    private static bool TryMeasure(ReadOnlySpan<byte> bytes, out int start, out int length)
    {
        (start, length) = (2, 0);
        if (bytes.Length < 2)
        {
            return false;
        }

        length = bytes[1];
        if (length >= 126)
        {
            start = length == 126 ? 4 : 10;
            if (bytes.Length < start)
            {
                return false;
            }

            length = length == 126
                ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])
                : (int)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]);
        }

        return bytes.Length >= start + length;
    }

    private void Count(ReadOnlySpan<byte> message, long now)
    {
        if (_isHub)
        {
            while (message.IndexOf(RecordEnd) is var end and >= 0)
            {
                var record = _piece.Length == 0 ? message[..end] : [.. _piece, .. message[..end]];
                _piece = [];
                CountOne(record, record[..Math.Min(record.Length, LongestStamp)].IndexOf("\"type\":\"log\""u8) >= 0, now);
                message = message[(end + 1)..];
            }

            _piece = [.. _piece, .. message];
        }
        else
        {
            CountOne(message, message.Length > 12 && message[9] == (byte)'l' && message[10] == (byte)'o', now);
        }
    }

    private void CountOne(ReadOnlySpan<byte> message, bool isLine, long now)
    {
        if (isLine)
        {
            Lines++;
            if (_latency is not null && message[..Math.Min(message.Length, LongestStamp)].IndexOf("T="u8) is var at and >= 0
                && Utf8Parser.TryParse(message.Slice(at + 2, 19), out long written, out _))
            {
                _latency.Add((now * (1_000_000_000 / Stopwatch.Frequency) - written) / 1000);
            }

            return;
        }

        if (message.IndexOf("\"type\":\"result\""u8) >= 0 && message.LastIndexOf("\"seq\":"u8) is var sequence and >= 0)
        {
            LastSequence = Utf8Parser.TryParse(message[(sequence + 6)..], out long last, out _) ? last : -1;
        }
        else if (Id is null && message.IndexOf("\"id\":\""u8) is var id and >= 0)
        {
            Id = System.Text.Encoding.UTF8.GetString(message.Slice(id + 6, 36));
        }
    }
}

/// <summary>How often each latency was seen, in microseconds up to two seconds.</summary>
internal sealed class LatencyCounts
{
    private readonly int[] _counts = new int[2_000_000];
    private long _total;

    public void Add(long microseconds)
    {
        Interlocked.Increment(ref _counts[Math.Clamp(microseconds, 0, _counts.Length - 1)]);
        Interlocked.Increment(ref _total);
    }

    /// <summary>So many of a thousand are no slower, in microseconds.</summary>
    public double Quantile(int perMille)
    {
        var left = _total * perMille / 1000;
        for (var microseconds = 0; microseconds < _counts.Length; microseconds++)
        {
            left -= _counts[microseconds];
            if (left < 0)
            {
                return microseconds;
            }
        }

        return _counts.Length;
    }
}

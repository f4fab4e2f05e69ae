using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Harness.Benchmarks.Transports;

/// <summary>REST and server-sent events: started by a request, watched by an other on the same connection, whose answer comes in chunks.</summary>
internal sealed class EventStreamProtocol : ILoadProtocol
{
    private readonly ArrayBufferWriter<byte> _cut = new();
    private bool _isBody;
    private int _chunkLeft;

    public bool StarterWatches => false;

    public bool IsReady => true;

    public byte[] Greeting(int port) => [];

    public byte[] Execute(Load load)
    {
        var body = $"{{\"kind\":\"synthetic\",\"data\":{load.Data}}}";
        return Encoding.ASCII.GetBytes(
            $"POST /api/v1/executions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    public byte[] Watch(string id) => Encoding.ASCII.GetBytes($"GET /api/v1/executions/{id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

    public int Take(ReadOnlySpan<byte> bytes, Arrivals arrivals, Action<byte[]> answer)
    {
        var taken = 0;
        while (_isBody ? TryTakeChunk(bytes[taken..], arrivals, out var length) : TryTakeHead(bytes[taken..], arrivals, out length))
        {
            taken += length;
        }

        return taken;
    }

    private bool TryTakeHead(ReadOnlySpan<byte> bytes, Arrivals arrivals, out int taken)
    {
        // Behind the line break that ends a body in chunks.
        var start = bytes.StartsWith("\r\n"u8) ? 2 : 0;
        taken = start + bytes[start..].IndexOf("\r\n\r\n"u8) + 4;
        if (taken < start + 4)
        {
            return false;
        }

        var head = Encoding.ASCII.GetString(bytes[start..taken]);
        if (!head.StartsWith("HTTP/1.1 20", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"The server refuses: {Encoding.ASCII.GetString(bytes)}");
        }

        const string Length = "Content-Length: ";
        var at = head.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            _isBody = true;
            return true;
        }

        var length = int.Parse(head.AsSpan(at + Length.Length)[..head.AsSpan(at + Length.Length).IndexOf('\r')], CultureInfo.InvariantCulture);
        if (bytes.Length < taken + length)
        {
            return false;
        }

        arrivals.AddAnswer(bytes.Slice(taken, length), "\"id\":\""u8);
        taken += length;
        return true;
    }

    // Takes of a chunk what there is: it may be longer than what is read at once.
    private bool TryTakeChunk(ReadOnlySpan<byte> bytes, Arrivals arrivals, out int taken)
    {
        taken = 0;
        if (_chunkLeft > 0)
        {
            taken = Math.Min(_chunkLeft, bytes.Length);
            TakeBody(bytes[..taken], arrivals);
            _chunkLeft -= taken;
            return taken > 0;
        }

        // The head of a chunk, behind the line break that ends the one before.
        var start = bytes.StartsWith("\r\n"u8) ? 2 : 0;
        var end = bytes[start..].IndexOf("\r\n"u8);
        if (end < 0 || !Utf8Parser.TryParse(bytes[start..], out int length, out _, 'x'))
        {
            return false;
        }

        taken = start + end + 2;
        _chunkLeft = length;
        _isBody = length > 0;
        return true;
    }

    // The answer to the request that starts is one object without an empty line; an event ends with one.
    private void TakeBody(ReadOnlySpan<byte> body, Arrivals arrivals)
    {
        if (body is [(byte)'{', ..] && _cut.WrittenCount == 0)
        {
            arrivals.AddAnswer(body, "\"id\":\""u8);
            return;
        }

        while (!body.IsEmpty)
        {
            var isJoint = _cut.WrittenCount > 0 && _cut.WrittenSpan[^1] == '\n' && body[0] == '\n';
            var end = isJoint ? -1 : body.IndexOf("\n\n"u8);
            if (end >= 0 && _cut.WrittenCount == 0)
            {
                EventScan.Json(body[..end], arrivals);
                body = body[(end + 2)..];
                continue;
            }

            // An event that is cut in two, maybe within the empty line that ends it.
            var length = isJoint ? 1 : end < 0 ? body.Length : end + 2;
            _cut.Write(body[..length]);
            body = body[length..];
            if (isJoint || end >= 0)
            {
                EventScan.Json(_cut.WrittenSpan[..^2], arrivals);
                _cut.ResetWrittenCount();
            }
        }
    }
}

using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Harness.Benchmarks.Transports;

/// <summary>REST and server-sent events: started by a request, watched by an other on the same connection, whose answer comes in chunks.</summary>
internal sealed class EventStreamProtocol : ILoadProtocol
{
    private byte[] _rest = [];
    private bool _isBody;

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
        taken = bytes.IndexOf("\r\n\r\n"u8) + 4;
        if (taken < 4)
        {
            return false;
        }

        var head = Encoding.ASCII.GetString(bytes[..taken]);
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

    private bool TryTakeChunk(ReadOnlySpan<byte> bytes, Arrivals arrivals, out int taken)
    {
        taken = 0;
        var end = bytes.IndexOf("\r\n"u8);
        if (end < 0 || !Utf8Parser.TryParse(bytes, out int length, out _, 'x') || bytes.Length < end + 2 + length + 2)
        {
            return false;
        }

        TakeBody(bytes.Slice(end + 2, length), arrivals);
        _isBody = length > 0;
        taken = end + 2 + length + 2;
        return true;
    }

    // The answer to the request that starts is one object without an empty line; an event ends with one.
    private void TakeBody(ReadOnlySpan<byte> body, Arrivals arrivals)
    {
        if (body is [(byte)'{', ..] && _rest.Length == 0)
        {
            arrivals.AddAnswer(body, "\"id\":\""u8);
            return;
        }

        if (_rest.Length > 0)
        {
            body = (byte[])[.. _rest, .. body];
        }

        while (body.IndexOf("\n\n"u8) is var end and >= 0)
        {
            EventScan.Json(body[..end], arrivals);
            body = body[(end + 2)..];
        }

        _rest = body.ToArray();
    }
}

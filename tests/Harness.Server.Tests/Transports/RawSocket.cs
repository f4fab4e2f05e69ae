using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Harness.Server.Tests.Transports;

/// <summary>A WebSocket peer that does only what a test tells it to: it answers no ping, reads nothing unasked, and may break the rules.</summary>
internal sealed class RawSocket : IDisposable
{
    public const int Continuation = 0;
    public const int Text = 1;
    public const int Binary = 2;
    public const int Close = 8;
    public const int Ping = 9;
    public const int Pong = 10;

    private readonly IDisposable _connection;
    private readonly Stream _stream;

    private RawSocket(IDisposable connection, Stream stream) => (_connection, _stream) = (connection, stream);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Task<RawSocket> ConnectAsync(HarnessApp app, int receiveBuffer = 0) => ConnectAsync(app.Address, receiveBuffer);

    /// <summary>Connects to an address of a server, over TLS where it says <c>https</c>.</summary>
    /// <param name="address">Where.</param>
    /// <param name="receiveBuffer">Bytes the system takes unasked; 0: as many as it likes.</param>
    /// <param name="atOnce">What is sent together with the handshake, against all rules.</param>
    /// <param name="path">What is asked for.</param>
    public static async Task<RawSocket> ConnectAsync(Uri address, int receiveBuffer = 0, byte[]? atOnce = null, string path = "/ws")
    {
        var tcp = new TcpClient();
        if (receiveBuffer > 0)
        {
            tcp.ReceiveBufferSize = receiveBuffer;
        }

        await tcp.ConnectAsync(address.Host, address.Port, Stop);
        var raw = new RawSocket(tcp, address.Scheme == "https" ? await EncryptAsync(tcp) : tcp.GetStream());
        var handshake = Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: {address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        await raw._stream.WriteAsync((byte[])[.. handshake, .. atOnce ?? []], Stop);
        var head = await raw.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);

        // The example of RFC 6455, 1.3.
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head, StringComparison.Ordinal);
        return raw;
    }

    /// <summary>Connects by the handshake of RFC 8441, over a connection of HTTP/2 of its own.</summary>
    /// <param name="address">Where.</param>
    /// <param name="path">What is asked for.</param>
    public static async Task<RawSocket> ConnectOverHttp2Async(Uri address, string path)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => TlsApp.IsItsOwn(certificate),
            },
        });
        using var connect = Connect(new Uri(address, path));
        var response = await client.SendAsync(connect, HttpCompletionOption.ResponseHeadersRead, Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Sec-WebSocket-Accept"));
        return new RawSocket(client, await response.Content.ReadAsStreamAsync(Stop));
    }

    /// <summary>The handshake of RFC 8441.</summary>
    /// <param name="uri">Of the socket, with the scheme of HTTP.</param>
    /// <param name="protocol">What is to be spoken.</param>
    /// <param name="version">Of the WebSocket protocol.</param>
    public static HttpRequestMessage Connect(Uri uri, string protocol = "websocket", string version = "13")
    {
        var connect = new HttpRequestMessage(HttpMethod.Connect, uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        connect.Headers.Protocol = protocol;
        connect.Headers.Add("Sec-WebSocket-Version", version);
        return connect;
    }

    public Task SendAsync(int opcode, string payload, bool isFinal = true) => SendAsync(opcode, Encoding.UTF8.GetBytes(payload), isFinal);

    public Task SendAsync(int opcode, byte[] payload, bool isFinal = true) => SendBytesAsync(Frame(opcode, payload, isFinal));

    /// <summary>A frame as clients send it.</summary>
    public static byte[] Frame(int opcode, byte[] payload, bool isFinal = true)
    {
        var frame = new List<byte> { (byte)((isFinal ? 0x80 : 0) | opcode) };
        if (payload.Length < 126)
        {
            frame.Add((byte)(0x80 | payload.Length));
        }
        else
        {
            frame.AddRange([0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length]);
        }

        byte[] mask = [1, 2, 3, 4];
        frame.AddRange(mask);
        frame.AddRange(payload.Select((value, index) => (byte)(value ^ mask[index % 4])));
        return [.. frame];
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendBytesAsync(byte[] bytes)
    {
        await _stream.WriteAsync(bytes, Stop);
        await _stream.FlushAsync(Stop);
    }

    /// <summary>The next frame of any kind; null when the connection is over.</summary>
    public async Task<(int Opcode, byte[] Payload)?> ReadAsync()
    {
        try
        {
            var head = await ReadAsync(2);
            Assert.Equal(0, head[1] & 0x80);
            var length = head[1] switch
            {
                126 => BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(2)),
                127 => (int)BinaryPrimitives.ReadUInt64BigEndian(await ReadAsync(8)),
                var small => small,
            };
            return (head[0] & 0x0F, await ReadAsync(length));
        }
        catch (Exception e) when (e is IOException or HttpProtocolException)
        {
            return null;
        }
    }

    /// <summary>The code of the close frame, past all other frames; null when the connection ends without one.</summary>
    public async Task<int?> ReadCloseCodeAsync()
    {
        while (await ReadAsync() is { } frame)
        {
            if (frame.Opcode == Close)
            {
                return frame.Payload.Length < 2 ? 1005 : BinaryPrimitives.ReadUInt16BigEndian(frame.Payload);
            }
        }

        return null;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _connection.Dispose();
    }

    private static async Task<Stream> EncryptAsync(TcpClient tcp)
    {
        var encrypted = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => TlsApp.IsItsOwn(certificate));
        await encrypted.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, Stop);
        return encrypted;
    }

    private async Task<byte[]> ReadAsync(int length)
    {
        var bytes = new byte[length];
        await _stream.ReadExactlyAsync(bytes, Stop);
        return bytes;
    }

    private async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append((char)(await ReadAsync(1))[0]);
        }

        return head.ToString();
    }
}

using System.Net.Sockets;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>Which way writes go, and that nothing the web server still has in its hands is overtaken.</summary>
public sealed class SocketStreamTests : IDisposable
{
    private static readonly byte[] Frame = [0x81, 0x01, (byte)'x'];
    private static readonly byte[] Ping = [0x89, 0x00];

    private readonly Kestrel _kestrel = new();
    private readonly SocketPair _pair = new();
    private readonly SocketStream _stream;

    public SocketStreamTests() => _stream = new SocketStream(_kestrel, _kestrel, _pair.Server);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PeerThatHasSpokenIsWrittenToDirectly()
    {
        await HearAsync(0x81);

        await _stream.WriteAsync(Frame, Stop);

        Assert.Empty(_kestrel.Written);
        Assert.Equal(3, await _pair.Peer.ReceiveAsync(new byte[16], Stop));
    }

    [Fact]
    public async Task PeerThatHasNotSpokenIsWrittenToThroughTheWebServer()
    {
        await _stream.WriteAsync(Ping, Stop);

        Assert.Equal(Ping, _kestrel.Written);
        Assert.Equal(0, _pair.Peer.Available);
    }

    [Theory]
    [InlineData(0x8A, 2)]
    [InlineData(0x81, 5)]
    public async Task AfterAPingOnlyItsPongProvesThatNothingIsOnTheWay(byte first, int throughTheWebServer)
    {
        await _stream.WriteAsync(Ping, Stop);
        await HearAsync(first);

        await _stream.WriteAsync(Frame, Stop);

        Assert.Equal(throughTheWebServer, _kestrel.Written.Count);
    }

    [Fact]
    public async Task NothingIsWrittenAfterTheCloseFrame()
    {
        await HearAsync(0x81);

        await _stream.WriteAsync(new byte[] { 0x88, 0x00 }, Stop);
        await _stream.WriteAsync(Frame, Stop);
        _pair.Server.Shutdown(SocketShutdown.Send);

        Assert.Equal(2, await _pair.Peer.ReceiveAsync(new byte[16], Stop));
        Assert.Equal(0, await _pair.Peer.ReceiveAsync(new byte[16], Stop));
    }

    [Fact]
    public async Task WriteThatWaitsForThePeerEndsWithTheConnectionAndThoseBehindItWithIt()
    {
        await HearAsync(0x81);
        var large = new byte[64 * 1024 * 1024];
        large[0] = 0x81;

        var waiting = _stream.WriteAsync(large, Stop);
        var behind = _stream.WriteAsync(Frame, Stop);
        Assert.True(_stream.WritingSince > 0);
        _pair.Server.Dispose();

        await Assert.ThrowsAnyAsync<Exception>(async () => await waiting);
        await Assert.ThrowsAnyAsync<Exception>(async () => await behind);
        Assert.Equal(0, _stream.WritingSince);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FramesFromSeveralPlacesArriveInTheirOrderHoweverSlowlyThePeerReads(bool isDirect)
    {
        await (isDirect ? HearAsync(0x81) : _stream.WriteAsync(Ping, Stop).AsTask());
        var sent = new byte[8 * 1024 * 1024];
        new Random(1).NextBytes(sent);
        List<ArraySegment<byte>> pieces = [new(sent, 0, 5), new(sent, 5, 3_000_000), new(sent, 3_000_005, 1), new(sent, 3_000_006, sent.Length - 3_000_006)];

        var writing = _stream.WriteAsync(pieces, Stop);
        Assert.Equal(isDirect, !writing.IsCompleted);
        byte[] received = [.. _kestrel.Written.Skip(Ping.Length)];
        if (isDirect)
        {
            received = new byte[sent.Length];
            for (var at = 0; at < received.Length;)
            {
                at += await _pair.Peer.ReceiveAsync(received.AsMemory(at, Math.Min(100_000, received.Length - at)), Stop);
            }
        }

        await writing;
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task PeerThatTakesALongWriteBitByBitThroughTheWebServerIsSeenToTakeIt(int pieces)
    {
        await _stream.WriteAsync(Ping, Stop);
        var sent = new byte[1_000_000];
        new Random(1).NextBytes(sent);
        sent[0] = 0x81;
        var waitingSince = new List<long>();
        _kestrel.Writing = () =>
        {
            waitingSince.Add(_stream.WritingSince);

            // To the next tick of the clock, so that it can be told whether the time is a new one.
            SpinWait.SpinUntil(() => Environment.TickCount64 > waitingSince[^1]);
        };

        await (pieces == 1 ? _stream.WriteAsync(sent, Stop) : _stream.WriteAsync([new(sent, 0, 100_000), new(sent, 100_000, 900_000)], Stop));

        Assert.Equal(8, waitingSince.Count);
        Assert.Equal(waitingSince.Distinct(), waitingSince);
        Assert.True(sent.AsSpan().SequenceEqual([.. _kestrel.Written.Skip(Ping.Length)]));
        Assert.Equal(0, _stream.WritingSince);
    }

    [Fact]
    public async Task WriteFromSeveralPlacesToAConnectionThatIsCutFails()
    {
        await HearAsync(0x81);
        var large = new byte[64 * 1024 * 1024];

        var waiting = _stream.WriteAsync([large, Frame], Stop);
        _pair.Server.Dispose();

        await Assert.ThrowsAnyAsync<Exception>(async () => await waiting);
        await Assert.ThrowsAnyAsync<Exception>(async () => await _stream.WriteAsync([Frame, Frame], Stop));
        Assert.Equal(0, _stream.WritingSince);
    }

    [Fact]
    public async Task NothingFromSeveralPlacesIsWrittenAfterTheCloseFrame()
    {
        await HearAsync(0x81);

        await _stream.WriteAsync(new byte[] { 0x88, 0x00 }, Stop);
        await _stream.WriteAsync([Frame, Frame], Stop);
        _pair.Server.Shutdown(SocketShutdown.Send);

        Assert.Equal(2, await _pair.Peer.ReceiveAsync(new byte[16], Stop));
        Assert.Equal(0, await _pair.Peer.ReceiveAsync(new byte[16], Stop));
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 10_000)]
    [InlineData(3, 40_000)]
    [InlineData(4, 200_000)]
    public async Task WriterKeepsTheOrderOfSmallAndLargeFramesAndBorrowsOnlyUntilItIsFlushed(int seed, int largest)
    {
        await _stream.WriteAsync(Ping, Stop);
        var writer = new FrameWriter(_stream);
        var random = new Random(seed);
        var expected = new List<byte>(Ping);
        for (var i = 0; i < 300; i++)
        {
            var frames = new byte[1 + random.Next(random.Next(2) == 0 ? 300 : largest)];
            random.NextBytes(frames);
            frames[0] = Frame[0];
            expected.AddRange(frames);
            await writer.WriteAsync(frames);
            if (random.Next(3) == 0)
            {
                await writer.FlushBorrowedAsync();
            }

            if (!writer.HasBorrowed)
            {
                // What is copied, or written already, is its owner's again.
                random.NextBytes(frames);
            }
        }

        await writer.FlushAsync();

        Assert.True(writer.IsEmpty);
        Assert.True(expected.SequenceEqual(_kestrel.Written));
    }

    public void Dispose()
    {
        _stream.Dispose();
        _pair.Dispose();
    }

    private async Task HearAsync(byte first)
    {
        _kestrel.Next = first;
        Assert.Equal(1, await _stream.ReadAsync(new byte[1], Stop));
    }

    /// <summary>Remembers what is written; the peer says what a test wants.</summary>
    private sealed class Kestrel : MemoryStream
    {
        public byte Next { get; set; }

        public List<byte> Written { get; } = [];

        public Action? Writing { get; set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span[0] = Next;
            return ValueTask.FromResult(1);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Writing?.Invoke();
            Written.AddRange(buffer.Span);
            return ValueTask.CompletedTask;
        }
    }
}

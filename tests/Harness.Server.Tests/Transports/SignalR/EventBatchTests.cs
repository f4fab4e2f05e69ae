using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Harness.Executions;
using Harness.Server.Transports.SignalR;
using Harness.Server.Transports.SignalR.MessagePack;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Harness.Server.Tests.Transports.SignalR;

/// <summary>Batches write themselves past SignalR's serializers; their bytes are what those would write.</summary>
public sealed class EventBatchTests
{
    private static readonly Arbitrary<int[]> Lengths = Gen.Frequency(
        (20, Gen.Choose(0, 300)), (2, Gen.Choose(0, 5_000)), (1, Gen.Choose(0, 70_000))).ArrayOf().Where(lengths => lengths.Length > 0).ToArbitrary();

    [Fact]
    public void InJsonTheyAreWhatSignalRWouldWrite() => AssertSameAs(new JsonHubProtocol());

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void InMessagePackTheyAreWhatTheirJsonWouldBeWhereverTheyAreWritten(bool inArrays) =>
        AssertSameAs(new MessagePackHubProtocol(new JsonHubProtocolOptions()), inArrays);

    [Fact]
    public void TheyHaveEveryEventInItsOrderAndAreBounded() => Prop.ForAll(Lengths, lengths =>
    {
        var events = Events(lengths);
        var sizes = new List<(int Count, int Bytes)>();
        var seen = new List<string>();
        foreach (var batch in Batches(events))
        {
            sizes.Add((batch.Count, batch.Sum(json => WebSocketFrame.SizeOf(json.Length))));
            seen.AddRange(batch);
        }

        Assert.Equal(events, seen);
        Assert.All(sizes, size => Assert.True(
            size.Count == 1 || (size.Count <= EventBatch.MaxEvents && size.Bytes <= EventBatch.MaxBytes), $"{size.Count} events of {size.Bytes} bytes"));
    }).Check(Config.QuickThrowOnFailure);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(256, 1)]
    [InlineData(257, 2)]
    [InlineData(513, 3)]
    public void ShortEventsFillABatch(int events, int batches) =>
        Assert.Equal(batches, Batches(Events([.. Enumerable.Repeat(20, events)])).Count);

    [Theory]
    [InlineData("\"")]
    [InlineData("\\")]
    [InlineData("é\u0001<&>")]
    public void NamesThatClientsGiveToStreamsAreEscapedAsSignalRWouldEscapeThem(string id)
    {
        var output = new ArrayBufferWriter<byte>();
        new ConnectionProtocol(new JsonHubProtocol(), messagesPerSecond: 1).WriteMessage(new StreamItemMessage(id, EventBatch.Of("{}"u8)), output);

        var expected = new JsonHubProtocol().GetMessageBytes(new StreamItemMessage(id, new RawJson("""{"events":[{}]}"""u8.ToArray())));
        Assert.Equal(Encoding.UTF8.GetString(expected.Span), Encoding.UTF8.GetString(output.WrittenSpan));
    }

    private static void AssertSameAs(IHubProtocol protocol, bool inArrays = true) => Prop.ForAll(Lengths, lengths =>
    {
        var events = Events(lengths);
        var expected = Batches(events)
            .Select(batch => new RawJson(Encoding.UTF8.GetBytes($"{{\"events\":[{string.Join(',', batch)}]}}")))
            .SelectMany(item => protocol.GetMessageBytes(new StreamItemMessage("7", item)).ToArray());

        var output = new Output(inArrays);
        var written = new ConnectionProtocol(protocol, messagesPerSecond: 1);
        var batch = new EventBatch(Frames(events), first: 1);
        do
        {
            written.WriteMessage(new StreamItemMessage("7", batch), output);
        }
        while (batch.MoveNext());

        Assert.Equal(Encoding.Latin1.GetString([.. expected]), Encoding.Latin1.GetString([.. output.Written]));
    }).Check(Config.QuickThrowOnFailure);

    // What the batches would be if nobody wrote them.
    private static List<List<string>> Batches(List<string> events)
    {
        var batches = new List<List<string>>();
        var batch = new EventBatch(Frames(events), first: 1);
        var (before, next) = (batch.Remaining, 0);
        do
        {
            var isLast = !batch.MoveNext();
            var taken = new List<string>();
            for (var bytes = before - (isLast ? 0 : batch.Remaining); bytes > 0; bytes -= WebSocketFrame.SizeOf(taken[^1].Length))
            {
                taken.Add(events[next++]);
            }

            before = batch.Remaining;
            batches.Add(taken);
        }
        while (next < events.Count);

        return batches;
    }

    private static List<string> Events(int[] lengths) =>
    [
        .. lengths.Select((length, i) =>
            $"{{\"type\":\"log\",\"id\":\"0f8fad5b\",\"message\":\"{new string('m', length)}\",\"seq\":{i + 1},\"ts\":\"2026-11-21T17:00:00.123Z\"}}"),
    ];

    private static ReadOnlyMemory<byte> Frames(IEnumerable<string> events) =>
        events.SelectMany(json => WebSocketFrame.Of(Encoding.ASCII.GetBytes(json))).ToArray();

    /// <summary>No more memory than is asked for; that of arrays, or other memory.</summary>
    private sealed class Output(bool inArrays) : IBufferWriter<byte>
    {
        private Memory<byte> _room;

        public List<byte> Written { get; } = [];

        public void Advance(int count) => Written.AddRange(_room.Span[..count]);

        public Memory<byte> GetMemory(int sizeHint = 0) => _room = inArrays ? new byte[sizeHint] : new Native(sizeHint).Memory;

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }

    private sealed class Native(int size) : MemoryManager<byte>
    {
        private readonly byte[] _bytes = new byte[size];

        public override Span<byte> GetSpan() => _bytes;

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
        }
    }
}

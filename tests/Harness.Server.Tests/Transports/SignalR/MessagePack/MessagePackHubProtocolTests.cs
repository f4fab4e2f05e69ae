using System.Buffers;
using System.Text.Json;
using Harness.Server.Transports.SignalR.MessagePack;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Harness.Server.Tests.Transports.SignalR.MessagePack;

/// <summary>The bytes are the examples of HubProtocol.md; those it has none for are derived by hand.</summary>
public sealed class MessagePackHubProtocolTests
{
    private static readonly Dictionary<string, string> XyAndZz = new() { ["x"] = "y", ["z"] = "z" };

    private static readonly MessagePackHubProtocol Protocol = new(new JsonHubProtocolOptions());

    private static readonly Dictionary<string, (HubMessage Message, string Hex)> Messages = new()
    {
        ["invocation"] = (new InvocationMessage("xyz", "method", [42]), "96 01 80 a378797a a66d6574686f64 91 2a 90"),
        ["invocation without id"] = (new InvocationMessage("method", [42]), "96 01 80 c0 a66d6574686f64 91 2a 90"),
        ["invocation with headers"] = (
            new InvocationMessage("xyz", "method", [42]) { Headers = XyAndZz }, "96 01 82 a178a179 a17aa17a a378797a a66d6574686f64 91 2a 90"),
        ["invocation with a stream"] = (new InvocationMessage("xyz", "method", [42], ["s1"]), "96 01 80 a378797a a66d6574686f64 91 2a 91 a27331"),
        ["stream invocation"] = (new StreamInvocationMessage("xyz", "method", [42]), "96 04 80 a378797a a66d6574686f64 91 2a 90"),
        ["stream item"] = (new StreamItemMessage("xyz", 42), "94 02 80 a378797a 2a"),
        ["error"] = (CompletionMessage.WithError("xyz", "Error"), "95 03 80 a378797a 01 a54572726f72"),
        ["void"] = (CompletionMessage.Empty("xyz"), "94 03 80 a378797a 02"),
        ["result"] = (CompletionMessage.WithResult("xyz", 42), "95 03 80 a378797a 03 2a"),
        ["cancel"] = (new CancelInvocationMessage("xyz"), "93 05 80 a378797a"),
        ["ping"] = (PingMessage.Instance, "91 06"),
        ["close"] = (CloseMessage.Empty, "93 07 c0 c2"),
        ["close with reconnect"] = (new CloseMessage("xyz", allowReconnect: true), "93 07 a378797a c3"),
        ["ack"] = (new AckMessage(36), "92 08 24"),
        ["sequence"] = (new SequenceMessage(0x1_0000_0000), "92 09 cf0000000100000000"),
    };

    public static TheoryData<string> Names => [.. Messages.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryMessageHasTheBytesOfTheSpecification(string name)
    {
        var (message, hex) = Messages[name];

        Assert.Equal(Frame(hex), Protocol.GetMessageBytes(message).ToArray());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryMessageIsReadBack(string name)
    {
        var (message, hex) = Messages[name];

        var read = Read(Frame(hex));

        Assert.IsType(message.GetType(), read);
        Assert.Equal(Frame(hex), Protocol.GetMessageBytes(read).ToArray());
    }

    [Fact]
    public void ShorterFormsOfTheSpecificationAreRead()
    {
        var close = Assert.IsType<CloseMessage>(Read(Frame("92 07 a378797a")));
        var ack = Assert.IsType<AckMessage>(Read(Frame("92 08 cc24")));
        var invocation = Assert.IsType<InvocationMessage>(Read(Frame("95 01 80 c0 a66d6574686f64 91 2a")));

        Assert.Equal(("xyz", false), (close.Error, close.AllowReconnect));
        Assert.Equal(36, ack.SequenceId);
        Assert.Null(invocation.StreamIds);
    }

    [Fact]
    public void MessagesAreReadHoweverTheirBytesArrive()
    {
        byte[] stream = [.. Messages.Values.SelectMany(message => Frame(message.Hex)), .. Frame($"95 03 80 a378797a 01 da0400{new string('6', 2048)}")];

        for (var cut = 0; cut <= stream.Length; cut++)
        {
            var first = new Segment(stream.AsMemory(0, cut));
            var last = first.Append(stream.AsMemory(cut));
            var early = new ReadOnlySequence<byte>(stream.AsMemory(0, cut));
            var whole = new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);

            var inTime = Drain(ref early);
            var left = whole.Slice(cut - early.Length);

            Assert.Equal(Messages.Count + 1, inTime.Count + Drain(ref left).Count);
            Assert.True(left.IsEmpty);
        }
    }

    [Fact]
    public void MessageOfAnUnknownTypeIsPassedOver()
    {
        var input = new ReadOnlySequence<byte>([.. Frame("92 2a c0"), .. Frame("91 06")]);

        Assert.True(Protocol.TryParseMessage(ref input, new Binder(typeof(int)), out var message));

        Assert.Same(PingMessage.Instance, message);
        Assert.True(input.IsEmpty);
    }

    [Theory]
    [InlineData("00", "cut short")]
    [InlineData("01 c0", "Expected a MessagePack value of kind Array")]
    [InlineData("01 90", "empty array")]
    [InlineData("01 c1", "0xC1")]
    [InlineData("02 91 a0", "kind Integer")]
    [InlineData("02 93 05", "cut short")]
    [InlineData("03 92 05 80", "A cancellation has")]
    [InlineData("04 92 05 80 a0", "A cancellation has")]
    [InlineData("05 94 03 80 a0 04", "1, 2 or 3")]
    [InlineData("05 94 03 80 a0 03", "has a result")]
    [InlineData("06 96 01 80 c0 a1 ff", "cut short")]
    [InlineData("07 95 01 80 c0 a1 ff 90", "not UTF-8")]
    [InlineData("07 93 05 81 a0 c0 a0 00", "kind String")]
    [InlineData("06 93 05 df ffffffff", "cut short")]
    [InlineData("08 95 01 80 c0 a0 91 92 01", "cut short")]
    [InlineData("0a 92 08 cf ffffffffffffffff", "cut short")]
    [InlineData("0b 92 08 cf ffffffffffffffff", "too large")]
    [InlineData("ffffffffff 01", "longer than 5 bytes")]
    [InlineData("ffffffff7f 01", "is longer than 2147483647")]
    public void WhatIsNoHubMessageIsRefusedWithAReason(string hex, string reason)
    {
        var bytes = Bytes(hex);

        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Read(bytes)).Message);
    }

    [Fact]
    public void MessageOverTheLimitIsRefusedByItsPrefix()
    {
        var small = new MessagePackHubProtocol(new JsonHubProtocolOptions(), maxMessageBytes: 100);
        var input = new ReadOnlySequence<byte>([101]);

        var exception = Assert.Throws<InvalidDataException>(() => small.TryParseMessage(ref input, new Binder(typeof(int)), out _));

        Assert.Equal("A message of 101 bytes is longer than 100, the limit", exception.Message);
    }

    [Fact]
    public void MessageCutAnywhereIsWaitedFor()
    {
        var frame = Frame(Messages["invocation with headers"].Hex);

        for (var length = 0; length < frame.Length; length++)
        {
            var input = new ReadOnlySequence<byte>(frame.AsMemory(0, length));

            Assert.False(Protocol.TryParseMessage(ref input, new Binder(typeof(int)), out _));
            Assert.Equal(length, input.Length);
        }
    }

    [Theory]
    [InlineData("2a", typeof(string), "kind String, found Integer")]
    [InlineData("c0", typeof(long), "kind Integer, found Nil")]
    [InlineData("cf8000000000000000", typeof(long), "is not between")]
    [InlineData("ce80000000", typeof(int), "is not between")]
    [InlineData("cb7ff8000000000000", typeof(JsonElement), "not finite")]
    [InlineData("81 2a 2a", typeof(JsonElement), "kind String, found Integer")]
    [InlineData("d4 05 00", typeof(JsonElement), "extension of type 5")]
    [InlineData("a178", typeof(DateTime), "could not be converted")]
    public void ArgumentThatDoesNotFitFailsItsInvocationOnly(string value, Type type, string reason)
    {
        var message = Read(Frame($"96 01 80 a131 a16d 91 {value} 90"), type);

        var failure = Assert.IsType<InvocationBindingFailureMessage>(message);
        Assert.Equal(("1", "m"), (failure.InvocationId, failure.Target));
        Assert.Contains(reason, failure.BindingFailure.SourceException.Message);
    }

    // Half a surrogate pair as JavaScript writes it; one byte that never is; a rune cut short; and a whole pair in its place.
    [Theory]
    [InlineData("a6 6361 eda0bd 74", "ca\uFFFDt")]
    [InlineData("d904 ff 6f66 66", "\uFFFDoff")]
    [InlineData("a2 f09f", "\uFFFD\uFFFD")]
    [InlineData("a7 edb080 f09f9880", "\uFFFD😀")]
    public void TextThatIsNotUtf8IsReplacedInArguments(string hex, string text)
    {
        var invocation = Assert.IsType<InvocationMessage>(
            Read(Frame($"96 01 80 c0 a16d 92 {hex} 81 {hex} {hex} 90"), typeof(string), typeof(JsonElement)));

        Assert.Equal(text, invocation.Arguments[0]);
        Assert.Equal(text, Assert.IsType<JsonElement>(invocation.Arguments[1]).Text(text));
    }

    [Fact]
    public void WrongNumberOfArgumentsIsSaidInSignalRsWords()
    {
        var failure = Assert.IsType<InvocationBindingFailureMessage>(Read(Frame("96 01 80 c0 a16d 92 01 02 90")));

        Assert.Equal("Invocation provides 2 argument(s) but target expects 1.", failure.BindingFailure.SourceException.Message);
    }

    [Fact]
    public void ArgumentNestedTooDeepFailsItsInvocation()
    {
        var deep = string.Concat(Enumerable.Repeat("91", 10_000)) + "c0";

        Assert.IsType<InvocationBindingFailureMessage>(Read(Frame($"96 01 80 c0 a16d 91 {deep} 90"), typeof(JsonElement)));
    }

    [Fact]
    public void ArgumentsBecomeTheTypesOfTheMethod()
    {
        Type[] types = [typeof(string), typeof(bool), typeof(long), typeof(int?), typeof(double), typeof(byte[]), typeof(JsonElement), typeof(List<int>)];

        var message = Read(Frame("96 01 80 c0 a16d 98 a2c3a9 c3 d3ffffffff00000000 c0 ca3fc00000 c40201ff 81a161920ac0 920102 90"), types);

        var arguments = Assert.IsType<InvocationMessage>(message).Arguments;
        Assert.Equal(["é", true, -0x1_0000_0000L, null, 1.5, new byte[] { 1, 255 }], arguments[..6]);
        Assert.Equal("{\"a\":[10,null]}", ((JsonElement)arguments[6]!).GetRawText());
        Assert.Equal([1, 2], Assert.IsType<List<int>>(arguments[7]));
    }

    [Fact]
    public void ItSpeaksTheVersionsThereAre()
    {
        Assert.Equal(("messagepack", 2, TransferFormat.Binary), (Protocol.Name, Protocol.Version, Protocol.TransferFormat));
        Assert.Equal([false, true, true, false], new[] { 0, 1, 2, 3 }.Select(Protocol.IsVersionSupported));
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", ""));

    private static byte[] Frame(string hex)
    {
        var prefix = new byte[HubFraming.MaxPrefix];
        var message = Bytes(hex);
        return [.. prefix.AsSpan(0, HubFraming.WritePrefix(prefix, message.Length)), .. message];
    }

    private static HubMessage Read(byte[] frame, params Type[] types)
    {
        var input = new ReadOnlySequence<byte>(frame);
        Assert.True(Protocol.TryParseMessage(ref input, new Binder(types is [] ? [typeof(int)] : types), out var message));
        Assert.True(input.IsEmpty);
        return message;
    }

    private static List<HubMessage> Drain(ref ReadOnlySequence<byte> input)
    {
        var messages = new List<HubMessage>();
        while (Protocol.TryParseMessage(ref input, new Binder(typeof(int)), out var message))
        {
            messages.Add(message);
        }

        return messages;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}

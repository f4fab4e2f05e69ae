using System.Net.WebSockets;
using System.Text;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Server.Tests.Transports.SignalR;

/// <summary>How deep a command of the hub may be nested: as deep as one of any transport, or as deep as SignalR reads JSON.</summary>
public sealed class DeepCommandTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("json", 62)]
    [InlineData("messagepack", 128)]
    public async Task CommandAtTheLimitIsTaken(string protocol, int depth)
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));

        var answer = await AskAsync(app, protocol, Call(protocol, "1", "Execute", Deep(protocol, depth)), until: "epoch");

        Assert.DoesNotContain("error", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json", 62)]
    [InlineData("messagepack", 128)]
    public async Task CommandAtTheLimitWithAnEmojiInItIsTaken(string protocol, int depth)
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));

        var answer = await AskAsync(app, protocol, Call(protocol, "1", "Execute", Deep(protocol, depth, "\U0001F600")), until: "epoch");

        Assert.DoesNotContain("error", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json", 63, "nested deeper than 62 levels, the limit of this protocol; MessagePack, /ws and REST take 128")]
    [InlineData("json", 10_000, "nested deeper than 62 levels")]
    [InlineData("messagepack", 129, "nested deeper than 128 levels")]
    [InlineData("messagepack", 10_000, "nested deeper than 128 levels")]
    public async Task DeeperOneIsRefusedWithAReasonAndItsConnectionGoesOn(string protocol, int depth, string reason)
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        byte[] calls = [.. Call(protocol, "1", "Execute", Deep(protocol, depth)), .. Call(protocol, "2", "List", protocol == "json" ? "{}"u8 : [0x80])];

        var answers = await AskAsync(app, protocol, calls, until: "items");

        Assert.Contains(reason, answers, StringComparison.Ordinal);
        Assert.DoesNotContain("epoch", answers, StringComparison.Ordinal);
    }

    // {"kind":"synthetic","data":{"lines":1,"text":"…","deep":[[…]]}}
    private static byte[] Deep(string protocol, int depth, string text = "") => protocol == "json"
        ? [.. Encoding.UTF8.GetBytes($$"""{"kind":"synthetic","data":{"lines":1,"text":"{{text}}","deep":"""),
            .. Times('[', depth - 2), .. Times(']', depth - 2), .. "}}"u8]
        : [0x82, 0xa4, .. "kind"u8, 0xa9, .. "synthetic"u8, 0xa4, .. "data"u8, 0x83, 0xa5, .. "lines"u8, 1,
            0xa4, .. "text"u8, (byte)(0xa0 | Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text), 0xa4, .. "deep"u8,
            .. Times(0x91, depth - 3), 0x90];

    private static IEnumerable<byte> Times(int value, int count) => Enumerable.Repeat((byte)value, count);

    private static byte[] Call(string protocol, string id, string target, ReadOnlySpan<byte> command)
    {
        if (protocol == "json")
        {
            return [.. Encoding.UTF8.GetBytes($$"""{"type":1,"invocationId":"{{id}}","target":"{{target}}","arguments":["""), .. command, .. "]}\u001e"u8];
        }

        byte[] call =
            [0x96, 0x01, 0x80, 0xa1, .. Encoding.UTF8.GetBytes(id), (byte)(0xa0 | target.Length), .. Encoding.UTF8.GetBytes(target), 0x91, .. command, 0x90];
        var prefix = new byte[HubFraming.PrefixOf(call.Length)];
        HubFraming.WritePrefix(prefix, call.Length);
        return [.. prefix, .. call];
    }

    private static async Task<string> AskAsync(HarnessApp app, string protocol, byte[] calls, string until)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(HubClient.HubUri(app), Stop);
        var handshake = Encoding.UTF8.GetBytes($$"""{"protocol":"{{protocol}}","version":1}""" + "\u001e");
        await socket.SendAsync(handshake, WebSocketMessageType.Text, endOfMessage: true, Stop);
        await socket.SendAsync(calls, WebSocketMessageType.Binary, endOfMessage: true, Stop);
        var (answers, buffer) = (new StringBuilder(), new byte[4096]);
        while (!answers.ToString().Contains(until, StringComparison.Ordinal)
            && await socket.ReceiveAsync(buffer.AsMemory(), Stop) is { MessageType: not WebSocketMessageType.Close } part)
        {
            answers.Append(Encoding.Latin1.GetString(buffer, 0, part.Count));
        }

        Assert.Contains(until, answers.ToString(), StringComparison.Ordinal);
        return answers.ToString();
    }
}

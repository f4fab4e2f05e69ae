using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Harness.Server.Tests.Transports.SignalR;

/// <summary>Broken messages on a live <c>/hub</c>: each ends its own connection or is passed over, and no other connection notices.</summary>
public sealed class HubMalformedInputTests
{
    private const string Ended = "ended";
    private const string PassedOver = "passed over";

    private static readonly (string Protocol, string What, byte[] Message, string Outcome)[] Messages =
    [
        ("json", "no JSON", Text("hello"), Ended),
        ("json", "an array", Text("[]"), Ended),
        ("json", "a number", Text("7"), Ended),
        ("json", "cut short", Text("{\"type\":1,"), Ended),
        ("json", "two values, of which SignalR reads the first", Text("{\"type\":6}{\"type\":6}"), PassedOver),
        ("json", "no type", Text("{}"), Ended),
        ("json", "a type that is no number", Text("{\"type\":\"1\"}"), Ended),
        ("json", "a target that is no text", Text("{\"type\":1,\"target\":7,\"arguments\":[]}"), Ended),
        ("json", "a huge number as type", Text("{\"type\":1e400}"), Ended),
        ("json", "no target", Text("{\"type\":1,\"arguments\":[]}"), Ended),
        ("json", "arguments that are no array", Text("{\"type\":1,\"target\":\"Status\",\"arguments\":{}}"), Ended),
        ("json", "nesting without end", Text("{\"type\":1,\"target\":\"Status\",\"arguments\":[" + new string('[', 200) + "]}"), Ended),
        ("json", "bytes that are not UTF-8", [(byte)'{', 0xff, 0xfe, (byte)'}', 0x1e], Ended),
        ("json", "an empty message", [0x1e], Ended),
        ("json", "a close", Text("{\"type\":7}"), Ended),
        ("json", "cancel of a stream there is none", Text("{\"type\":5,\"invocationId\":\"9\"}"), PassedOver),
        ("messagepack", "a length of five bytes that is too large", [0xff, 0xff, 0xff, 0xff, 0x7f], Ended),
        ("messagepack", "a length without end", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80], Ended),
        ("messagepack", "an empty message", [0x00], Ended),
        ("messagepack", "no array", [0x01, 0x07], Ended),
        ("messagepack", "an empty array", [0x01, 0x90], Ended),
        ("messagepack", "an array that says it has more than there is", [0x02, 0x96, 0x01], Ended),
        ("messagepack", "a type that is no number", [0x02, 0x91, 0xc0], Ended),
        ("messagepack", "a type nobody knows", [0x02, 0x91, 0x63], PassedOver),
        ("messagepack", "a byte MessagePack never uses", [0x02, 0x91, 0xc1], Ended),
        ("messagepack", "a text longer than the message", [0x06, 0x96, 0x01, 0x80, 0xdb, 0x7f, 0xff], Ended),
        ("messagepack", "arrays within arrays", [0x43, 0x96, 0x01, 0x80, 0xc0, .. Enumerable.Repeat((byte)0x91, 0x3f)], Ended),
        ("messagepack", "text that is not UTF-8 as target", [0x08, 0x96, 0x01, 0x80, 0xc0, 0xa1, 0xff, 0x90, 0x90], Ended),
        ("messagepack", "a ping", [0x02, 0x91, 0x06], PassedOver),
        ("messagepack", "a close", [0x03, 0x92, 0x07, 0xc0], Ended),
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<int, string> Cases() =>
        new(Messages.Select((message, index) => (index, $"{message.Protocol}: {message.What}: {message.Outcome}")));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task BrokenMessageEndsItsConnectionOrIsPassedOverAndOthersGoOn(int index, string what)
    {
        var (protocol, _, message, outcome) = Messages[index];
        await using var app = await HarnessApp.StartAsync();
        await using var control = await HubClient.ConnectAsync(app, protocol);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(HubClient.HubUri(app), Stop);
        var type = protocol == "json" ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
        await socket.SendAsync(Text($"{{\"protocol\":\"{protocol}\",\"version\":1}}"), WebSocketMessageType.Text, endOfMessage: true, Stop);

        await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, Stop);

        // A call of a method there is not: it is answered where the connection goes on.
        byte[] call = protocol == "json"
            ? Text("{\"type\":1,\"invocationId\":\"after\",\"target\":\"Nothing\",\"arguments\":[]}")
            : [0x13, 0x96, 0x01, 0x80, 0xa5, .. "after"u8, 0xa7, .. "Nothing"u8, 0x90, 0x90];
        Assert.Equal(outcome, await SendAndHearAsync(socket, call, type) ? PassedOver : Ended);
        var refusal = await Assert.ThrowsAsync<HubException>(() => control.InvokeAsync<JsonElement>("Status", new { id = "nope" }, Stop));
        Assert.Contains("not found: nope", refusal.Message, StringComparison.Ordinal);
        Assert.NotEmpty(what);
    }

    private static async Task<bool> SendAndHearAsync(ClientWebSocket socket, byte[] call, WebSocketMessageType type)
    {
        var heard = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            await socket.SendAsync(call, type, endOfMessage: true, Stop);
            while (await socket.ReceiveAsync(buffer.AsMemory(), Stop) is { MessageType: not WebSocketMessageType.Close } part)
            {
                heard.Append(Encoding.Latin1.GetString(buffer, 0, part.Count));
                if (heard.ToString().Contains("after", StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }
        catch (WebSocketException)
        {
            // The server has gone before it heard the call.
        }

        return false;
    }

    private static byte[] Text(string message) => [.. Encoding.UTF8.GetBytes(message), 0x1e];
}

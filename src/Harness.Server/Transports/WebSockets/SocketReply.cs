using System.Buffers;
using System.Globalization;
using System.Text;
using Harness.Executions;

namespace Harness.Server.Transports.WebSockets;

/// <summary>Answers to one client, as ready frames: the reference server's keys first and in its order, then ours (PROTOCOL).</summary>
internal static class SocketReply
{
    /// <summary>A bad or impossible command. The socket stays open.</summary>
    /// <param name="message">The text clients know, to the letter.</param>
    /// <param name="code">A stable word for programs.</param>
    /// <param name="id">The execution it is about; null when the client named none.</param>
    /// <param name="reference">The client's <c>ref</c>, given back.</param>
    public static byte[] Error(string message, string code, string? id = null, string? reference = null)
    {
        var json = new ArrayBufferWriter<byte>(256);
        json.Write("{\"type\":\"error\""u8);
        WriteMember(json, "id", id);
        WriteMember(json, "message", message);
        WriteMember(json, "code", code);
        WriteMember(json, "ref", reference);
        json.Write("}"u8);
        return WebSocketFrame.Of(json.WrittenSpan);
    }

    /// <summary>A command that could not be done.</summary>
    public static byte[] Error(CommandException refusal, string? reference) => Error(refusal.Message, refusal.Code, refusal.Id, reference);

    /// <summary>The status document of an execution.</summary>
    public static byte[] Status(string id, ReadOnlyMemory<byte> document, string? reference)
    {
        var json = new ArrayBufferWriter<byte>(1024);
        json.Write("{\"type\":\"status\""u8);
        WriteMember(json, "id", id);
        json.Write(",\"data\":"u8);
        json.Write(document.Span);
        WriteMember(json, "ref", reference);
        json.Write("}"u8);
        return WebSocketFrame.Of(json.WrittenSpan);
    }

    /// <summary>A subscription begins; its events come after this.</summary>
    public static byte[] Subscribed(Execution execution, SubscriptionStart start, string? reference) => Compose("subscribed", json =>
    {
        WriteMember(json, "id", execution.Id);
        WriteMember(json, "ref", reference);
        WriteMember(json, "epoch", execution.Epoch);
        json.Write(Encoding.UTF8.GetBytes(
            $",\"first\":{start.First},\"last\":{start.Last},\"from\":{start.From},\"recovered\":{(start.Recovered ? "true" : "false")}"));
        WriteMember(json, "status", execution.State.Status.ToWire());
    });

    /// <summary>A subscription is over; nothing of it comes after this.</summary>
    /// <param name="id">Of which execution.</param>
    /// <param name="reason"><c>ended</c> or <c>requested</c>.</param>
    /// <param name="reference">The <c>ref</c> of the <c>subscribe</c> that ended, or of the <c>unsubscribe</c>.</param>
    public static byte[] Unsubscribed(string id, string reason, string? reference) => Compose("unsubscribed", json =>
    {
        WriteMember(json, "id", id);
        WriteMember(json, "reason", reason);
        WriteMember(json, "ref", reference);
    });

    /// <summary>A page of executions.</summary>
    public static byte[] List(ExecutionPage page, string? reference) => Compose("list", json =>
    {
        WriteMember(json, "ref", reference);
        ListDocument.WriteItems(json, page);
    });

    /// <summary>What became of a cancel of many.</summary>
    public static byte[] Cancelled(CancelOutcome outcome, string? reference) => Compose("cancelled", json =>
    {
        WriteMember(json, "ref", reference);
        ListDocument.WriteOutcome(json, outcome);
    });

    /// <summary>The answer to <c>ping</c>.</summary>
    public static byte[] Pong(DateTimeOffset now, string? reference) => Compose("pong", json =>
    {
        WriteMember(json, "ref", reference);
        WriteMember(json, "ts", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
    });

    /// <summary>What the server speaks, and its limits.</summary>
    public static byte[] Hello(ServerOptions server, ExecutionOptions executions, string? reference) => Compose("hello", json =>
    {
        WriteMember(json, "protocol", "harness.v1");
        json.Write(Encoding.UTF8.GetBytes(
            $",\"limits\":{{\"message_bytes\":{server.MaxMessageBytes},\"line_bytes\":{executions.MaxLineBytes},\"subscriptions\":{server.MaxSubscriptionsPerConnection}}}"
            + string.Create(CultureInfo.InvariantCulture, $",\"ping_ms\":{server.PingInterval.TotalMilliseconds:0}")));
        WriteMember(json, "ref", reference);
    });

    /// <summary>The server stops and closes this connection next. Only for clients that said hello.</summary>
    public static byte[] Closing(int retryAfterMilliseconds) => Compose("closing", json => json.Write(Encoding.UTF8.GetBytes(
        $",\"code\":4001,\"reason\":\"shutdown\",\"retry_after_ms\":{retryAfterMilliseconds}")));

    private static byte[] Compose(string type, Action<ArrayBufferWriter<byte>> write)
    {
        var json = new ArrayBufferWriter<byte>(256);
        json.Write(Encoding.UTF8.GetBytes($"{{\"type\":\"{type}\""));
        write(json);
        json.Write("}"u8);
        return WebSocketFrame.Of(json.WrittenSpan);
    }

    private static void WriteMember(ArrayBufferWriter<byte> json, string name, string? value)
    {
        if (value is null)
        {
            return;
        }

        var utf8 = Encoding.UTF8.GetBytes(value);
        json.Write(Encoding.UTF8.GetBytes($",\"{name}\":\""));
        json.Advance(JsonText.Escape(utf8, json.GetSpan(JsonText.EscapedLength(utf8))));
        json.Write("\""u8);
    }
}

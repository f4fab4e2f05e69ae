using System.Buffers;
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

    /// <summary>The status document of an execution.</summary>
    public static byte[] Status(Execution execution, string? reference)
    {
        var json = new ArrayBufferWriter<byte>(1024);
        json.Write("{\"type\":\"status\""u8);
        WriteMember(json, "id", execution.Id);
        json.Write(",\"data\":"u8);
        json.Write(execution.DescribeAsJson().Span);
        WriteMember(json, "ref", reference);
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

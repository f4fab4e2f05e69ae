using System.Buffers;
using System.Text;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Transports;

/// <summary>Lists as JSON, the same on every transport: further members of the object that is being written, or an object of their own.</summary>
internal static class ListDocument
{
    /// <summary><c>{"items":[…],"next":"…"}</c>: a page of a list.</summary>
    public static byte[] Of(ExecutionPage page) => Compose(json => WriteItems(json, page));

    /// <summary><c>{"cancelled":["id",…],"refused":[{"id","message","code"},…]}</c>: what became of a cancel of many.</summary>
    public static byte[] Of(CancelOutcome outcome) => Compose(json => WriteOutcome(json, outcome));

    /// <summary>Writes <c>,"items":[…],"next":"…"</c>; <c>next</c> is absent on the last page.</summary>
    public static void WriteItems(IBufferWriter<byte> json, ExecutionPage page)
    {
        json.Write(",\"items\":["u8);
        for (var i = 0; i < page.Items.Count; i++)
        {
            json.Write(i == 0 ? ""u8 : ","u8);
            json.Write(page.Items[i].DescribeAsItem().Span);
        }

        json.Write("]"u8);
        if (page.Next is not null)
        {
            json.Write(Encoding.UTF8.GetBytes($",\"next\":\"{page.Next}\""));
        }
    }

    /// <summary>Writes <c>,"cancelled":["id",…],"refused":[{"id","message","code"},…]</c>.</summary>
    public static void WriteOutcome(IBufferWriter<byte> json, CancelOutcome outcome)
    {
        var refused = outcome.Refused.Select(refusal => new { id = refusal.Id, message = refusal.Message, code = refusal.Code });
        json.Write(",\"cancelled\":"u8);
        json.Write(JsonSerializer.SerializeToUtf8Bytes(outcome.Cancelled.Select(execution => execution.Id)));
        json.Write(",\"refused\":"u8);
        json.Write(JsonSerializer.SerializeToUtf8Bytes(refused));
    }

    // Members come with a comma before each: the first one's becomes the brace.
    private static byte[] Compose(Action<ArrayBufferWriter<byte>> writeMembers)
    {
        var json = new ArrayBufferWriter<byte>(4096);
        writeMembers(json);
        byte[] document = [.. json.WrittenSpan, (byte)'}'];
        document[0] = (byte)'{';
        return document;
    }
}

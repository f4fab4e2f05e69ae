using System.Buffers;
using Harness.Executions;

namespace Harness.Server.Transports.SignalR;

/// <summary>Answers of the hub, as ready JSON: documents of executions are put together, not parsed.</summary>
internal static class HubReply
{
    /// <summary><c>{"items":[…],"next":"…"}</c>: a page of a list.</summary>
    public static RawJson List(ExecutionPage page) => Compose(json => ListDocument.WriteItems(json, page));

    /// <summary><c>{"cancelled":["id",…],"refused":[{"id","message","code"},…]}</c>: what became of a cancel of many.</summary>
    public static RawJson Cancelled(CancelOutcome outcome) => Compose(json => ListDocument.WriteOutcome(json, outcome));

    // Members come with a comma before each: the first one's becomes the brace.
    private static RawJson Compose(Action<ArrayBufferWriter<byte>> writeMembers)
    {
        var json = new ArrayBufferWriter<byte>(1024);
        writeMembers(json);
        byte[] document = [.. json.WrittenSpan, (byte)'}'];
        document[0] = (byte)'{';
        return new RawJson(document);
    }
}

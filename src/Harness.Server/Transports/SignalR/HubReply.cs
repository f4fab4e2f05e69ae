using System.Buffers;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Transports.SignalR;

/// <summary>Answers of the hub, as ready JSON: documents of executions are put together, not parsed.</summary>
internal static class HubReply
{
    /// <summary><c>{"items":[…],"next":…}</c>: a page of a list.</summary>
    public static RawJson List(ExecutionPage page) => Write(json =>
    {
        WriteItems(json, page.Items);
        if (page.Next is not null)
        {
            json.WriteString("next", page.Next);
        }
    });

    /// <summary><c>{"items":[…],"errors":[{"id","code","message"}]}</c>: those that are cancelled now, and those that could not be.</summary>
    public static RawJson Cancelled(CancelOutcome outcome) => Write(json =>
    {
        WriteItems(json, outcome.Cancelled);
        json.WriteStartArray("errors");
        foreach (var refusal in outcome.Refused)
        {
            json.WriteStartObject();
            json.WriteString("id", refusal.Id);
            json.WriteString("code", refusal.Code);
            json.WriteString("message", refusal.Message);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void WriteItems(Utf8JsonWriter json, IEnumerable<Execution> executions)
    {
        json.WriteStartArray("items");
        foreach (var execution in executions)
        {
            json.WriteRawValue(execution.DescribeAsItem().Span, skipInputValidation: true);
        }

        json.WriteEndArray();
    }

    private static RawJson Write(Action<Utf8JsonWriter> writeMembers)
    {
        var utf8 = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(utf8))
        {
            json.WriteStartObject();
            writeMembers(json);
            json.WriteEndObject();
        }

        return new RawJson(utf8.WrittenMemory);
    }
}

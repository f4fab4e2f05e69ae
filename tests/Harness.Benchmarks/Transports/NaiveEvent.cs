using System.Text.Json.Serialization;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Benchmarks.Transports;

/// <summary>An event of a rival within ASP.NET. It writes its own MessagePack, so that this costs it no more than it has to.</summary>
internal sealed record NaiveEvent(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("message")] string? Message,
    [property: JsonPropertyName("seq")] long Sequence,
    [property: JsonPropertyName("ts")] DateTimeOffset Time) : IMessagePackWritable
{
    public int ExpectedBytes => 256;

    public void WriteTo(MessagePackWriter writer)
    {
        writer.WriteMapHeader(5);
        writer.WriteString("type");
        writer.WriteString(Type);
        writer.WriteString("id");
        writer.WriteString(Id);
        writer.WriteString("message");
        writer.WriteString(Message);
        writer.WriteString("seq");
        writer.WriteInteger(Sequence);
        writer.WriteString("ts");
        writer.WriteString(Time.ToString("O"));
    }
}

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>A result or stream item that knows its own MessagePack; others go by way of their JSON.</summary>
internal interface IMessagePackWritable
{
    /// <summary>Writes exactly one value.</summary>
    void WriteTo(MessagePackWriter writer);
}

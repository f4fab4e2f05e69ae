namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>A result or stream item that knows its own MessagePack; others go by way of their JSON.</summary>
internal interface IMessagePackWritable
{
    /// <summary>How many bytes it will hardly exceed: where so many are at hand, they are written in their place.</summary>
    int ExpectedBytes { get; }

    /// <summary>Writes exactly one value.</summary>
    void WriteTo(MessagePackWriter writer);
}

using Harness.Executions;

namespace Harness.Server.Transports.WebSockets;

/// <summary>One execution watched over one connection: a place in its log.</summary>
internal sealed class SocketWatch(SocketPump pump, Execution execution, SocketSubscription? subscription) : ILogWatcher
{
    private volatile bool _isClosed;

    /// <summary>Which execution.</summary>
    public string ExecutionId => execution.Id;

    /// <summary>How it was asked for; null: it is the starter's, and of the seed's three actions only.</summary>
    public SocketSubscription? Subscription => subscription;

    /// <summary>Whether typed events go out too.</summary>
    public required bool WantsEvents { get; init; }

    /// <summary>The place; only the pump reads from it and lets it go.</summary>
    public LogCursor Cursor { get; set; } = null!;

    /// <summary>Nothing more of it may go out.</summary>
    public bool IsClosed
    {
        get => _isClosed;
        set => _isClosed = value;
    }

    /// <summary>The frame for a range that is gone.</summary>
    public byte[] DescribeTruncation(LogRange range) => WebSocketFrame.Of(execution.Log.DescribeTruncation(range).Span);

    public void OnAppended() => pump.Enqueue(this);
}

/// <summary>What a <c>subscribe</c> said.</summary>
/// <param name="Reference">The client's <c>ref</c>, given back at the end too; null: none.</param>
internal sealed record SocketSubscription(string? Reference);

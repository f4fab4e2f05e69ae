using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// Lets a connection outlive the request it began with. A socket that waits needs nothing of what Kestrel and the middleware keep for a
/// request: that is more than half of what an idle socket costs. So the request ends with its handshake, and the connection goes on from the
/// place where Kestrel called its HTTP. (docs/decisions/0017-a-socket-outlives-its-request.md)
/// </summary>
/// <remarks>
/// It stands between the connection and HTTP, and keeps HTTP from ending the connection once it is to be handed over. One for each
/// connection; for one thread at a time, as HTTP/1.1 is.
/// </remarks>
internal sealed class ConnectionHandover : IConnectionHeartbeatFeature
{
    private readonly ConnectionContext _connection;
    private readonly IDuplexPipe _transport;
    private readonly Shield _shield;
    private readonly IConnectionHeartbeatFeature? _heartbeat;
    private readonly List<Beat> _beats = [];
    private Func<ConnectionContext, Task>? _taker;

    private ConnectionHandover(ConnectionContext connection)
    {
        (_connection, _transport) = (connection, connection.Transport);
        _heartbeat = connection.Features.Get<IConnectionHeartbeatFeature>();
        connection.Transport = _shield = new Shield(new ShieldedReader(this), new ShieldedWriter(this));
        connection.Features.Set(this);
        connection.Features.Set<IConnectionHeartbeatFeature>(this);
    }

    /// <summary>That of a request's connection; null where the connection has to stay with its request.</summary>
    public static ConnectionHandover? Of(HttpContext context) =>
        context.Features.Get<ConnectionHandover>() is { IsNextToHttp: true } handover ? handover : null;

    /// <summary>Serves a connection with HTTP, and then with whoever took it over.</summary>
    public static async Task RunAsync(ConnectionDelegate http, ConnectionContext connection)
    {
        if (await ServeAsync(http, connection) is { } taker)
        {
            await taker(connection);
        }
    }

    /// <summary>Takes the connection over when its request has ended; what was written goes out before.</summary>
    /// <param name="taker">Runs the connection to its end. It must not hold anything of the request.</param>
    public void Take(Func<ConnectionContext, Task> taker) => _taker = taker;

    // Whoever stands between, such as TLS that was added later, would be left out.
    private bool IsNextToHttp => ReferenceEquals(_connection.Transport, _shield);

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state)
    {
        // Kestrel cannot be told to forget one; this one can.
        var beat = new Beat(action, state);
        _beats.Add(beat);
        _heartbeat?.OnHeartbeat(static beat => ((Beat)beat).Tell(), beat);
    }

    private static async Task<Func<ConnectionContext, Task>?> ServeAsync(ConnectionDelegate http, ConnectionContext connection)
    {
        var handover = new ConnectionHandover(connection);
        await http(connection);
        handover.Restore();
        return handover._taker;
    }

    private void Restore()
    {
        _connection.Transport = _transport;
        _connection.Features.Set(_heartbeat);
        _connection.Features.Set<ConnectionHandover>(null);
        _beats.ForEach(beat => beat.Forget());
    }

    private sealed class Beat(Action<object> action, object state)
    {
        private volatile Tuple<Action<object>, object>? _told = new(action, state);

        public void Tell()
        {
            if (_told is { } told)
            {
                told.Item1(told.Item2);
            }
        }

        public void Forget() => _told = null;
    }

    private sealed record Shield(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class ShieldedReader(ConnectionHandover handover) : PipeReader
    {
        private readonly PipeReader _inner = handover._transport.Input;

        public override bool TryRead(out ReadResult result) => _inner.TryRead(out result);

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => _inner.ReadAsync(cancellationToken);

        public override void AdvanceTo(SequencePosition consumed) => _inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => _inner.CancelPendingRead();

        public override void Complete(Exception? exception = null)
        {
            if (handover._taker is null)
            {
                _inner.Complete(exception);
            }
        }
    }

    private sealed class ShieldedWriter(ConnectionHandover handover) : PipeWriter
    {
        private readonly PipeWriter _inner = handover._transport.Output;

        public override bool CanGetUnflushedBytes => _inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => _inner.UnflushedBytes;

        public override void Advance(int bytes) => _inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => _inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => _inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => _inner.FlushAsync(cancellationToken);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
            _inner.WriteAsync(source, cancellationToken);

        public override void CancelPendingFlush() => _inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null)
        {
            if (handover._taker is null)
            {
                _inner.Complete(exception);
            }
        }
    }
}

using System.Runtime.CompilerServices;

namespace Harness.Cli.Hub;

/// <summary>
/// One execution, watched over as many connections as it takes: when one is lost, the next one begins after the last event seen. Every
/// event comes once and in order, or a <c>truncated</c> says which are gone.
/// </summary>
internal sealed class ExecutionWatch : IAsyncDisposable
{
    private const string Reference = "watch";

    private readonly HubClient _client;
    private readonly Backoff _backoff;
    private readonly HubEvent? _opening;
    private readonly long? _tail;
    private HubConnection? _connection;
    private bool _canResume;
    private bool _isSubscribed;
    private string? _epoch;
    private long _next;

    public ExecutionWatch(HubClient client, string id, long from, long? tail)
    {
        (_client, Id, _next, _tail) = (client, id, from, tail);
        _backoff = new Backoff(client.Time);
    }

    /// <summary>Of what this connection has just started.</summary>
    public ExecutionWatch(HubClient client, string id, HubConnection connection, HubEvent answer)
        : this(client, id, from: 1, tail: null)
    {
        (_connection, _canResume) = (connection, connection.CanResume);

        // A server that cannot resume sends the events to the connection that started it, and its answer is the first of them.
        _isSubscribed = !_canResume;
        _opening = _canResume ? null : answer;
    }

    public string Id { get; }

    /// <summary>Takes its place at the server now, before it is read: nothing that comes after this is missed.</summary>
    /// <exception cref="RunException">There is no such execution, or the server cannot be reached.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        _connection = await _client.OpenAsync(cancellationToken);
        await SubscribeAsync(_connection, cancellationToken);
        HubEvent answer;
        do
        {
            answer = await _connection.ReceiveAsync(cancellationToken);
            Take(answer);
        }
        while (answer.Type != "subscribed");
    }

    /// <summary>Every event up to and with the <c>result</c>, and notices of lost connections between them. Once, by one reader.</summary>
    /// <exception cref="RunException">There is no such execution, or the way to it is lost for good.</exception>
    public async IAsyncEnumerable<HubEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_opening is { } opening)
        {
            yield return opening;
        }

        while (true)
        {
            HubEvent next;
            var wait = TimeSpan.Zero;
            try
            {
                next = await ReadNextAsync(cancellationToken);
            }
            catch (ConnectionLostException lost) when (_canResume && _backoff.Next(lost.RetryAfter) is { } pause)
            {
                (next, wait) = (HubEvent.Notice($"{lost.Message} Connecting again …"), pause);
                await LeaveAsync();
            }

            yield return next;
            if (next.Type == "result")
            {
                yield break;
            }

            await Task.Delay(wait, _client.Time, cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => LeaveAsync();

    /// <summary>The next event that is new here, over a connection that is opened when there is none.</summary>
    private async Task<HubEvent> ReadNextAsync(CancellationToken cancellationToken)
    {
        _connection ??= await _client.OpenAsync(cancellationToken);
        if (!_isSubscribed)
        {
            await SubscribeAsync(_connection, cancellationToken);
        }

        while (true)
        {
            var frame = await _connection.ReceiveAsync(cancellationToken);
            if (frame.Id == Id && Take(frame) is { } taken)
            {
                return taken;
            }
        }
    }

    private async Task SubscribeAsync(HubConnection connection, CancellationToken cancellationToken)
    {
        _canResume = connection.CanResume;
        if (!_canResume)
        {
            throw new RunException($"{_client.Address} is an older server: only who started an execution can watch it.");
        }

        // With typed events too the numbers have no gaps, so that one would be seen.
        await connection.SendAsync(
            _tail is not null && _epoch is null
                ? new { action = "subscribe", id = Id, tail = _tail, events = true, @ref = Reference }
                : new { action = "subscribe", id = Id, from = _next, epoch = _epoch, events = true, @ref = Reference },
            cancellationToken);
        _isSubscribed = true;
    }

    /// <summary>What a frame is to the reader; null for nothing.</summary>
    private HubEvent? Take(HubEvent frame)
    {
        switch (frame.Type)
        {
            case "subscribed":
                return TakeBeginning(frame);
            case "truncated":
                _next = Math.Max(_next, (frame.Json.Whole("to") ?? 0) + 1);
                return frame;
            case "error" when frame.Json.Text("ref") == Reference:
                throw new RunException(frame.Json.Text("code") == "not_found" && _epoch is not null
                    ? $"{_client.Address} no longer has execution {Id}: it was restarted, or the execution was removed."
                    : $"{_client.Address}: {frame.Message}");
            case "unsubscribed":
                throw new RunException($"Execution {Id} has ended before event {_next}.");
            case "error":
                return null;
            default:
                return TakeNumbered(frame);
        }
    }

    private HubEvent? TakeBeginning(HubEvent frame)
    {
        _backoff.Connected();
        var epoch = frame.Json.Text("epoch");
        var isAnotherLog = _epoch is not null && epoch != _epoch;
        if (isAnotherLog)
        {
            // What the server lost it cannot send; what it has instead begins with 1, or with a `truncated` up to what is left.
            _next = 1;
        }
        else if (_tail is not null && _epoch is null)
        {
            _next = frame.Json.Whole("from") ?? 1;
        }

        _epoch = epoch ?? _epoch;
        return isAnotherLog ? HubEvent.Notice("The server has lost what it had sent; from the beginning of what it has now:") : null;
    }

    private HubEvent? TakeNumbered(HubEvent frame)
    {
        if (frame.Sequence is not { } sequence)
        {
            // Servers that cannot resume do not number; from others this is the answer to someone's question.
            return _canResume ? null : frame;
        }

        if (sequence < _next)
        {
            return null;
        }

        if (sequence > _next)
        {
            throw new RunException($"{_client.Address} left out events {_next} to {sequence - 1} of execution {Id}.");
        }

        _next = sequence + 1;
        _backoff.Reset();
        return frame;
    }

    private async ValueTask LeaveAsync()
    {
        _isSubscribed = false;
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }
}

using System.Collections.Concurrent;
using Harness.Executions;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.Rest;

/// <summary>All open streams of server-sent events, their common heartbeat, and their end when the server stops. Thread-safe.</summary>
internal sealed class EventStreams : IDisposable
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DrainTimeLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<EventStream, Task> _streams = new();
    private readonly ServerOptions _options;
    private readonly ConnectionLimit _limit;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private volatile bool _closed;

    public EventStreams(IOptions<ServerOptions> options, ConnectionLimit limit, TimeProvider time)
    {
        _options = options.Value;
        _limit = limit;
        _time = time;
        var period = TimeSpan.FromTicks(Math.Clamp(
            _options.SlowClientTimeLimit.Ticks / 4, TimeSpan.TicksPerMillisecond * 5, TimeSpan.TicksPerSecond * 5));
        _timer = time.CreateTimer(_ => Beat(), null, period, period);
    }

    /// <summary>Open streams.</summary>
    public int Count => _streams.Count;

    /// <summary>Answers a request with the events of an execution until its end.</summary>
    /// <exception cref="CommandException">There are too many connections, or the server stops.</exception>
    public Task RunAsync(HttpContext context, Execution execution, SubscribeCommand command) =>
        RunAsync(context, execution, command, new EventText(execution, command.Events));

    /// <summary>As the other, in words of the caller's choice.</summary>
    /// <exception cref="CommandException">There are too many connections, or the server stops.</exception>
    public async Task RunAsync(HttpContext context, Execution execution, SubscribeCommand command, IEventText text)
    {
        if (_closed || !_limit.TryEnter())
        {
            throw new CommandException(_closed ? "The server is stopping" : $"{_limit.Refusal}; come back later", "overloaded");
        }

        try
        {
            await AnswerAsync(context, execution, command, text);
        }
        finally
        {
            _limit.Leave();
        }
    }

    /// <summary>Lets streams write what is left, five seconds at most, then ends them. Call it when all executions have ended.</summary>
    public async Task CloseAllAsync(CancellationToken cancellationToken)
    {
        _closed = true;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(DrainTimeLimit);

        // Those of executions that outlive this process have no end to wait for.
        foreach (var (stream, _) in _streams)
        {
            stream.Finish();
        }

        await Task.WhenAll(_streams.Values).WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var (stream, _) in _streams)
        {
            stream.Cut();
        }
    }

    public void Dispose() => _timer.Dispose();

    private async Task AnswerAsync(HttpContext context, Execution execution, SubscribeCommand command, IEventText text)
    {
        // How slow a reader may be is ours to say (ServerOptions.SlowClientTimeLimit), not Kestrel's.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        var headers = context.Response.Headers;
        headers.ContentType = "text/event-stream";
        headers.CacheControl = "no-cache, no-transform";
        headers["X-Accel-Buffering"] = "no";

        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stream = new EventStream(context, execution, command, text, EventStream.Milliseconds(_time));
        _streams[stream] = ended.Task;
        try
        {
            await stream.RunAsync(_time);
        }
        finally
        {
            _streams.TryRemove(stream, out _);
            ended.SetResult();
        }
    }

    private void Beat()
    {
        var now = EventStream.Milliseconds(_time);
        foreach (var (stream, _) in _streams)
        {
            stream.Beat(now, Heartbeat, _options.SlowClientTimeLimit);
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Benchmarks.Transports;

/// <summary>One run of a naive server: starts when all who shall watch are there.</summary>
internal sealed class NaiveRun
{
    private static readonly string Rest = new('x', 79);

    private readonly Func<NaiveRun, NaiveEvent, Task> _send;
    private readonly List<WebSocket> _sockets = [];
    private readonly long _lines;
    private readonly double _rate;
    private readonly int _watchers;
    private int _count;

    public NaiveRun(JsonElement data, Func<NaiveRun, NaiveEvent, Task> send)
    {
        _send = send;
        _lines = data.GetProperty("lines").GetInt64();
        _rate = data.GetProperty("rate").GetDouble();
        _watchers = data.GetProperty("watchers").GetInt32();
    }

    public string Id { get; } = Guid.NewGuid().ToString();

    public IReadOnlyList<WebSocket> Sockets => _sockets;

    public NaiveEvent Opening => Event("status", "running", 1);

    /// <summary>Counts one who watches.</summary>
    /// <param name="socket">Null: it is reached in an other way.</param>
    public void Add(WebSocket? socket)
    {
        lock (_sockets)
        {
            if (socket is not null)
            {
                _sockets.Add(socket);
            }

            if (++_count == _watchers)
            {
                _ = Task.Run(WriteAsync);
            }
        }
    }

    private async Task WriteAsync()
    {
        var began = Stopwatch.GetTimestamp();
        for (var written = 0L; written < _lines;)
        {
            var due = _lines;
            if (_rate > 0)
            {
                await FineTicks.Shared.NextAsync(CancellationToken.None);
                due = Math.Min(_lines, (long)(Stopwatch.GetElapsedTime(began).TotalSeconds * _rate));
            }

            for (; written < due; written++)
            {
                var stamp = _rate > 0 ? Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency) : 0;
                await _send(this, Event("log", string.Create(CultureInfo.InvariantCulture, $"T={stamp:D19}{Rest}"), written + 2));
            }
        }

        await _send(this, Event("result", null, _lines + 2));
    }

    private NaiveEvent Event(string type, string? message, long sequence) => new(type, Id, message, sequence, DateTimeOffset.UtcNow);
}

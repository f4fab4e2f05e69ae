using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Harness.Executions;

/// <summary>
/// Lines without an agent, for demos and load tests: <c>{"lines":N,"rate":R,"size":100,"watchers":W}</c> emits exactly N lines of
/// <c>size</c> characters, as fast as it can (rate 0) or R per second, to the millisecond, once W readers are there. What they say is made up. Each begins with
/// <c>T=</c> and the 19-digit monotonic time in nanoseconds at which it was written; zeros when the rate is 0. One that is cancelled says one
/// line more, with the time at which it heard of that. Registered only on request.
/// </summary>
public sealed class SyntheticKind : IExecutionKind
{
    private const long MaxLines = 1_000_000_000;
    private const int MaxWatchers = 100_000;

    // In seconds. What is due sooner, timers are too coarse for.
    private const double LeastForTimers = 0.01;
    private const double LongestDelay = 60;
    private static readonly TimeSpan WatchersTimeLimit = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;

    /// <summary>Paces by this clock; what is due within 10 ms by ticks of a millisecond.</summary>
    public SyntheticKind(TimeProvider time) => _time = time;

    /// <inheritdoc/>
    public string Name => "synthetic";

    /// <inheritdoc/>
    public ExecutionPlan Plan(JsonElement data)
    {
        var lines = (long)Number(data, "lines", 1_000, 0, MaxLines);
        var rate = Number(data, "rate", 0, 0, 10_000_000);
        var size = (int)Number(data, "size", 100, SyntheticText.Stamp.Length, 64 * 1024);
        var watchers = (int)Number(data, "watchers", 0, 0, MaxWatchers);
        var request = new ExecutionRequest { Kind = Name, Name = string.Create(CultureInfo.InvariantCulture, $"{lines} lines of {size} characters") };
        return new ExecutionPlan(request, async (log, stop) =>
        {
            await WaitForWatchersAsync(log, watchers, stop);
            var texts = SyntheticText.Lines(size);
            try
            {
                await (rate > 0 ? WritePacedAsync(log, texts, size, lines, rate, stop) : WriteAllAsync(log, texts, size, lines, stop));
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                await log.WriteAsync(Stamp(texts[..size]), CancellationToken.None);
                throw;
            }

            return new ExecutionResult(ExecutionStatus.Completed);
        });
    }

    private async Task WaitForWatchersAsync(ExecutionLog log, int watchers, CancellationToken stop)
    {
        try
        {
            await log.WaitForReadersAsync(watchers, stop).WaitAsync(WatchersTimeLimit, _time, stop);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException(
                $"Only {log.ReaderCount} of {watchers} watchers came within {WatchersTimeLimit.TotalSeconds:0} s", e);
        }
    }

    private static async Task WriteAllAsync(ExecutionLog log, byte[] texts, int size, long lines, CancellationToken stop)
    {
        var at = 0;
        for (var written = 0L; written < lines; written++)
        {
            while (!log.TryWrite(texts.AsSpan(at, size)))
            {
                stop.ThrowIfCancellationRequested();
                await log.WaitToWriteAsync(stop);
            }

            at = Next(texts, size, at);
        }
    }

    private async Task WritePacedAsync(ExecutionLog log, byte[] texts, int size, long lines, double rate, CancellationToken stop)
    {
        var began = _time.GetTimestamp();
        var (line, at) = (new byte[size], 0);
        for (var written = 0L; written < lines;)
        {
            stop.ThrowIfCancellationRequested();
            await WaitAsync((written + 1) / rate - _time.GetElapsedTime(began).TotalSeconds, stop);
            var due = Math.Min(lines, (long)(_time.GetElapsedTime(began).TotalSeconds * rate));
            for (; written < due; written++)
            {
                texts.AsSpan(at, size).CopyTo(line);
                await log.WriteAsync(Stamp(line), stop);
                at = Next(texts, size, at);
            }
        }
    }

    // Not longer than that; who waits looks whether it is time.
    private Task WaitAsync(double seconds, CancellationToken stop) => seconds < LeastForTimers
        ? FineTicks.Shared.NextAsync(stop)
        : Task.Delay(TimeSpan.FromSeconds(Math.Min(seconds, LongestDelay)), _time, stop);

    private static int Next(byte[] texts, int size, int at) => at + size < texts.Length ? at + size : 0;

    private static byte[] Stamp(byte[] line)
    {
        var nanoseconds = Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);
        nanoseconds.TryFormat(line.AsSpan(2), out _, "D19", CultureInfo.InvariantCulture);
        return line;
    }

    private static double Number(JsonElement data, string name, double missing, double least, double most)
    {
        if (data.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return missing;
        }

        if (data.ValueKind != JsonValueKind.Object)
        {
            throw new ExecutionInputException("data must be an object such as {\"lines\":1000,\"rate\":0,\"size\":100,\"watchers\":1}");
        }

        if (!data.TryGetProperty(name, out var value))
        {
            return missing;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            ? number
            : throw new ExecutionInputException(
                string.Create(CultureInfo.InvariantCulture, $"data.{name} must be a number from {least} to {most}"));
    }
}

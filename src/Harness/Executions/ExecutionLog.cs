namespace Harness.Executions;

/// <summary>What an execution says. (Placeholder of the same shape; the real log lands on main.)</summary>
public sealed class ExecutionLog
{
    private readonly List<string> _lines = [];

    /// <summary>All lines so far.</summary>
    internal IReadOnlyList<string> Lines { get { lock (_lines) { return [.. _lines]; } } }

    /// <summary>Appends one line. Thread-safe. Waits only when the pipeline is full.</summary>
    public ValueTask WriteAsync(string line)
    {
        lock (_lines)
        {
            _lines.Add(line);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Appends one line of UTF-8. Thread-safe. Waits only when the pipeline is full.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> utf8Line) => WriteAsync(System.Text.Encoding.UTF8.GetString(utf8Line.Span));

    /// <summary>
    /// Every event from sequence <paramref name="from"/> on as one JSON document each (<c>{"type":"log",…,"seq":2,"ts":"…"}</c>): what is
    /// there, then live, until the <c>result</c> event.
    /// </summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadEventsAsync(
        long from = 1, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        foreach (var line in Lines.Skip((int)from - 1))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return System.Text.Encoding.UTF8.GetBytes(line);
        }
    }
}

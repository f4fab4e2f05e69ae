using System.Collections.Concurrent;

namespace Harness.Server.Tests;

/// <summary>Keeps the server's own log for tests, in place of the console. Thread-safe.</summary>
public sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentBag<(Func<string, bool> IsWanted, TaskCompletionSource Said)> _waiting = [];

    /// <summary>The lines so far, each <c>Level message</c>.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Add($"{logLevel} {formatter(state, exception)} {exception}".TrimEnd());

    /// <summary>Adds a line as it is.</summary>
    public void Add(string line)
    {
        _lines.Enqueue(line);
        foreach (var (isWanted, said) in _waiting)
        {
            if (isWanted(line))
            {
                said.TrySetResult();
            }
        }
    }

    /// <summary>Waits a minute at most for a line, said already or still to come.</summary>
    public async Task WaitForAsync(Func<string, bool> isWanted)
    {
        var said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add((isWanted, said));
        if (!_lines.Any(isWanted))
        {
            await said.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose()
    {
    }
}

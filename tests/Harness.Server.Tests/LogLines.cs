using System.Collections.Concurrent;

namespace Harness.Server.Tests;

/// <summary>Keeps the server's own log for tests, in place of the console. Thread-safe.</summary>
public sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>The lines so far, each <c>Level message</c>.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Add($"{logLevel} {formatter(state, exception)} {exception}".TrimEnd());

    /// <summary>Adds a line as it is.</summary>
    public void Add(string line) => _lines.Enqueue(line);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose()
    {
    }
}

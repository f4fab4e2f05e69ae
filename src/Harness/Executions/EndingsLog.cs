using Microsoft.Extensions.Logging;

namespace Harness.Executions;

/// <summary>
/// Tells the server's log of executions that end: each while they are few, and of the rest of a second how many. Nobody reads a thousand
/// lines a second, and writing them costs more than short executions do. At level Debug every one is told. Thread-safe.
/// </summary>
internal sealed partial class EndingsLog : IDisposable
{
    /// <summary>Executions that are told of one by one, in a second.</summary>
    public const int LinesInASecond = 20;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private long _since;
    private int _lines;
    private int _completed;
    private int _failed;
    private int _canceled;

    public EndingsLog(ILogger logger, TimeProvider time)
    {
        (_logger, _time) = (logger, time);
        _timer = time.CreateTimer(static log => ((EndingsLog)log!).TellOfTheRest(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _since = time.GetTimestamp();
    }

    /// <summary>One has ended.</summary>
    public void Add(string id, ExecutionStatus status, TimeSpan after)
    {
        if (_logger.IsEnabled(LogLevel.Debug) || HasALine(status))
        {
            LogEnded(id, status, after.TotalMilliseconds);
        }
    }

    /// <summary>Tells what is left to tell.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        TellOfTheRest();
    }

    private bool HasALine(ExecutionStatus status)
    {
        lock (_gate)
        {
            var (now, passed) = (_time.GetTimestamp(), TimeSpan.Zero);
            if (_time.GetElapsedTime(_since, now) is var elapsed && elapsed < Second)
            {
                passed = elapsed;
            }
            else
            {
                (_since, _lines) = (now, 0);
            }

            if (_lines < LinesInASecond)
            {
                _lines++;
                return true;
            }

            if (_completed + _failed + _canceled == 0)
            {
                _timer.Change(Second - passed, Timeout.InfiniteTimeSpan);
            }

            _completed += status == ExecutionStatus.Completed ? 1 : 0;
            _failed += status == ExecutionStatus.Failed ? 1 : 0;
            _canceled += status == ExecutionStatus.Canceled ? 1 : 0;
            return false;
        }
    }

    private void TellOfTheRest()
    {
        (int Completed, int Failed, int Canceled) rest;
        lock (_gate)
        {
            rest = (_completed, _failed, _canceled);
            (_completed, _failed, _canceled) = (0, 0, 0);
        }

        if (rest != default)
        {
            LogRest(rest.Completed + rest.Failed + rest.Canceled, rest.Completed, rest.Failed, rest.Canceled);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Execution {ExecutionId} ended {Status} after {ElapsedMs:0} ms")]
    private partial void LogEnded(string executionId, ExecutionStatus status, double elapsedMs);

    [LoggerMessage(9, LogLevel.Information, "{Count} more executions ended within the second: {Completed} completed, {Failed} failed, {Canceled} were cancelled")]
    private partial void LogRest(int count, int completed, int failed, int canceled);
}

using Harness.Executions;
using Microsoft.Extensions.Logging;

namespace Harness.Tests.Executions;

/// <summary>What the server's log says of executions that end.</summary>
public sealed class EndingsLogTests
{
    private readonly ManualTime _time = new();
    private readonly Lines _lines = new();

    [Fact]
    public void EachIsToldWhileTheyAreFewAndOfTheRestOfASecondHowMany()
    {
        using var log = new EndingsLog(_lines, _time);
        for (var number = 0; number < EndingsLog.LinesInASecond; number++)
        {
            log.Add($"id-{number}", ExecutionStatus.Completed, TimeSpan.FromMilliseconds(12));
        }

        Assert.Equal(EndingsLog.LinesInASecond, _lines.Told.Count);
        Assert.Equal("Execution id-0 ended Completed after 12 ms", _lines.Told[0]);
        _lines.Told.Clear();

        log.Add("more", ExecutionStatus.Completed, default);
        log.Add("more", ExecutionStatus.Failed, default);
        log.Add("more", ExecutionStatus.Canceled, default);
        log.Add("more", ExecutionStatus.Completed, default);
        Assert.Empty(_lines.Told);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["4 more executions ended within the second: 2 completed, 1 failed, 1 were cancelled"], _lines.Told);
        _lines.Told.Clear();

        log.Add("later", ExecutionStatus.Failed, TimeSpan.FromSeconds(2));
        Assert.Equal(["Execution later ended Failed after 2000 ms"], _lines.Told);
    }

    [Fact]
    public void NothingIsLeftUntoldAtTheEnd()
    {
        using (var log = new EndingsLog(_lines, _time))
        {
            for (var number = 0; number <= EndingsLog.LinesInASecond; number++)
            {
                log.Add("id", ExecutionStatus.Completed, default);
            }
        }

        Assert.Equal("1 more executions ended within the second: 1 completed, 0 failed, 0 were cancelled", _lines.Told[^1]);
    }

    [Fact]
    public void AtLevelDebugEveryOneIsTold()
    {
        _lines.Level = LogLevel.Debug;
        using var log = new EndingsLog(_lines, _time);
        for (var number = 0; number < 5 * EndingsLog.LinesInASecond; number++)
        {
            log.Add("id", ExecutionStatus.Completed, default);
        }

        Assert.Equal(5 * EndingsLog.LinesInASecond, _lines.Told.Count);
    }

    [Fact]
    public void SecondThatPassesWhileOneIsCountedDoesNoHarm()
    {
        var time = new RunningTime();
        using (var log = new EndingsLog(_lines, time))
        {
            for (var number = 0; number < EndingsLog.LinesInASecond; number++)
            {
                log.Add("id", ExecutionStatus.Completed, default);
            }

            // Within the second when it is read first, behind it when it is read again.
            (time.Now, time.Step) = (TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(0.2));
            log.Add("more", ExecutionStatus.Failed, default);
        }

        Assert.Equal("1 more executions ended within the second: 0 completed, 1 failed, 0 were cancelled", _lines.Told[^1]);
    }

    // Goes on by a step with each reading.
    private sealed class RunningTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public TimeSpan Step { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp()
        {
            var now = Now.Ticks;
            Now += Step;
            return now;
        }
    }

    private sealed class Lines : ILogger
    {
        public LogLevel Level { get; set; } = LogLevel.Information;

        public List<string> Told { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= Level;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Told.Add(formatter(state, exception));
    }
}

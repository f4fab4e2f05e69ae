using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>What a client wants to be kept; everything else that has ended is deleted.</summary>
internal static class SweepCommand
{
    private const long HundredYears = 36_500L * 24 * 60 * 60;

    /// <summary>Reads <c>keep_seconds</c>, <c>keep_count</c>, <c>keep_bytes</c>; at least one.</summary>
    /// <exception cref="CommandException">There is none, or one cannot be used.</exception>
    public static RetentionRule Read(CommandFields fields, DateTimeOffset now)
    {
        var seconds = fields.Whole("keep_seconds", 0, HundredYears);
        var count = fields.Whole("keep_count", 0, int.MaxValue);
        var bytes = fields.Whole("keep_bytes", 0, long.MaxValue);
        return seconds is null && count is null && bytes is null
            ? throw new CommandException("Say what is to be kept: keep_seconds, keep_count or keep_bytes", "invalid_field")
            : new RetentionRule(seconds is { } age ? now.AddSeconds(-age) : null, (int?)count, bytes);
    }
}

/// <summary>What a sweep took.</summary>
/// <param name="Deleted">Executions that are gone.</param>
/// <param name="Trimmed">Executions that run and have lost their oldest events.</param>
/// <param name="Bytes">Bytes of events that are gone.</param>
internal sealed record SweepResponse(int Deleted, int Trimmed, long Bytes);

namespace Harness.Cli.Hub;

/// <summary>
/// How long to wait before each try to connect again: twice as long every time, and never exactly that long, so that the clients of a
/// server that restarts do not all come at once.
/// </summary>
internal sealed class Backoff(TimeProvider time)
{
    /// <summary>A server that lets in and drops again is given up after so many tries without an event.</summary>
    public const int MaxTries = 30;

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    private long? _lostAt;
    private int _tries;

    /// <summary>Tries go on for so long after the connection was lost; the last one may begin just before.</summary>
    public static TimeSpan TimeLimit { get; } = TimeSpan.FromMinutes(1);

    /// <summary>The wait before the next try; null when there were enough.</summary>
    /// <param name="atLeast">What the server asks for.</param>
    public TimeSpan? Next(TimeSpan atLeast = default)
    {
        _lostAt ??= time.GetTimestamp();
        if (_tries >= MaxTries || time.GetElapsedTime(_lostAt.Value) >= TimeLimit)
        {
            return null;
        }

        var most = TimeSpan.FromTicks(Math.Min(First.Ticks << Math.Min(_tries, 16), Longest.Ticks));
        _tries++;
        return atLeast + (most * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    /// <summary>The connection stands: the time of the next loss begins anew, the number of tries goes on.</summary>
    public void Connected() => _lostAt = null;

    /// <summary>An event came: the next loss is the first one again.</summary>
    public void Reset() => (_lostAt, _tries) = (null, 0);
}

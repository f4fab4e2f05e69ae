namespace Harness.Server.Transports;

/// <summary>
/// How many messages one connection may send: so many a second on average, and ten seconds' worth at once. For one thread at a time.
/// </summary>
/// <param name="perSecond">The average.</param>
internal sealed class MessageBudget(int perSecond)
{
    private const int BurstSeconds = 10;

    private double _left = (double)perSecond * BurstSeconds;
    private long _at;

    /// <summary>What a client is told that has sent more.</summary>
    public string Refusal => $"too many messages: more than {perSecond} a second; reconnect and send less";

    /// <summary>Takes one message; false when there is none left.</summary>
    /// <param name="now"><see cref="Environment.TickCount64"/>.</param>
    public bool TryTake(long now)
    {
        _left = Math.Min((double)perSecond * BurstSeconds, _left + (_at == 0 ? 0 : (now - _at) * perSecond / 1000.0));
        _at = now;
        if (_left < 1)
        {
            return false;
        }

        _left--;
        return true;
    }
}

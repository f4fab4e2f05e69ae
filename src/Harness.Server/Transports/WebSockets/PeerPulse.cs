namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// Judges from beat to beat whether a peer is still there: when it is to be pinged, and when it is gone or takes nothing. Times are
/// <see cref="Environment.TickCount64"/> milliseconds. For one caller at a time.
/// </summary>
/// <param name="openedAt">When the connection was opened.</param>
internal struct PeerPulse(long openedAt)
{
    // A ping stands behind what the systems of both sides still hold for the peer. One that reads this much a second is not taken for gone before
    // it can have come to the ping.
    private const long LeastBytesPerSecond = 8 * 1024;

    // What those buffers hold at most.
    private const long MostOnTheWay = 8 * 1024 * 1024;

    private long _beatAt;
    private long _written;
    private long _onTheWay;
    private long _pingedAt = openedAt;
    private long _pongBy;
    private bool _isAsked;

    /// <summary>What is to be done about the peer now.</summary>
    /// <param name="now">The time.</param>
    /// <param name="writingSince">Since when a write has been waiting for the peer; 0: none is.</param>
    /// <param name="heardAt">When it last sent anything.</param>
    /// <param name="written">Bytes written to it so far.</param>
    /// <param name="isHeard">False while what it sends is not read, since something it asked for is being done.</param>
    /// <param name="options">The limits.</param>
    public PulseFinding Beat(long now, long writingSince, long heardAt, long written, bool isHeard, ServerOptions options)
    {
        var read = (now - _beatAt) * LeastBytesPerSecond / 1000;
        _onTheWay = Math.Min(MostOnTheWay, Math.Max(0, _onTheWay - read) + written - _written);
        (_beatAt, _written) = (now, written);
        if (writingSince > 0)
        {
            // A peer that does not read cannot be expected to answer a ping: only how long it has taken no byte counts.
            _isAsked = false;
            return now - writingSince >= options.SlowClientTimeLimit.TotalMilliseconds ? PulseFinding.Slow : PulseFinding.Well;
        }

        // Its answer may be there and unread. Pings go on: what is between sees that the connection lives.
        _isAsked &= isHeard;
        if (_isAsked && heardAt < _pingedAt)
        {
            return now >= _pongBy ? PulseFinding.Silent : PulseFinding.Well;
        }

        if (now - _pingedAt < options.PingInterval.TotalMilliseconds)
        {
            return PulseFinding.Well;
        }

        (_isAsked, _pingedAt) = (true, now);
        _pongBy = now + (long)options.PongTimeLimit.TotalMilliseconds + _onTheWay * 1000 / LeastBytesPerSecond;
        return PulseFinding.PingIsDue;
    }
}

/// <summary>What a beat finds.</summary>
internal enum PulseFinding
{
    /// <summary>Nothing is to be done.</summary>
    Well,

    /// <summary>It is to be pinged.</summary>
    PingIsDue,

    /// <summary>It has taken no byte for too long.</summary>
    Slow,

    /// <summary>It has not answered a ping in time.</summary>
    Silent,
}

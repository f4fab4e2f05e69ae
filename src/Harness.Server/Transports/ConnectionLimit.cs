using Microsoft.Extensions.Options;

namespace Harness.Server.Transports;

/// <summary>
/// The places of <see cref="ServerOptions.MaxConnections"/>, which sockets, connections of the hub and streams of server-sent events share.
/// Thread-safe.
/// </summary>
internal sealed class ConnectionLimit(IOptions<ServerOptions> options)
{
    private readonly int _max = options.Value.MaxConnections;
    private int _count;

    /// <summary>Places taken.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>What one that gets no place is told.</summary>
    public string Refusal => $"{_max} connections are open, which is the limit";

    /// <summary>Takes a place; false when there is none. Who has taken one leaves once.</summary>
    public bool TryEnter()
    {
        // Never over the limit, not even for a moment: that would refuse another one for nothing.
        for (var count = Count; count < _max; count = Count)
        {
            if (Interlocked.CompareExchange(ref _count, count + 1, count) == count)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gives a place back.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);
}

using System.Diagnostics;

namespace Harness.Benchmarks.Transports;

/// <summary>Many clients in one thread: nothing is handed from thread to thread, so that one core is enough for any server.</summary>
/// <param name="limit">How long all may take, from now.</param>
internal sealed class LoadLoop(TimeSpan limit) : IDisposable
{
    // More at once than a server's queue of new connections takes would be refused.
    private const int MaxOpening = 64;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(50);

    private readonly List<LoadClient> _clients = [];
    private readonly ReadySockets _sockets = new();
    private readonly long _began = Stopwatch.GetTimestamp();
    private byte[] _shared = [];
    private int _open;

    /// <summary>All clients, in the order they came.</summary>
    public IReadOnlyList<LoadClient> Clients => _clients;

    /// <summary>Clients that have their result.</summary>
    public int Finished { get; private set; }

    /// <summary>Opens clients until there are so many more, each ready for commands.</summary>
    public void Open(int count, Func<LoadClient> open)
    {
        var all = _clients.Count + count;
        while (_open < all)
        {
            while (_clients.Count < all && _clients.Count - _open < MaxOpening)
            {
                var client = open();
                _sockets.Watch(client.Socket, _clients.Count);
                _clients.Add(client);
                _open += client.IsReady ? 1 : 0;
            }

            Turn(LongestWait);
        }
    }

    /// <summary>Receives until a condition holds.</summary>
    /// <exception cref="TimeoutException">The time limit of the loop is over.</exception>
    public void RunUntil(Func<bool> isOver)
    {
        while (!isOver())
        {
            Turn(LongestWait);
        }
    }

    /// <summary>Receives for some time.</summary>
    public void RunFor(TimeSpan time)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < time;)
        {
            Turn(LongestWait);
        }
    }

    /// <summary>Forgets what has come, for the next run on the same clients.</summary>
    public void Reset()
    {
        _clients.ForEach(client => client.Arrivals.Reset());
        Finished = 0;
    }

    public void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        _sockets.Dispose();
    }

    private void Turn(TimeSpan wait)
    {
        if (Stopwatch.GetElapsedTime(_began) > limit)
        {
            throw new TimeoutException($"Not over after {limit.TotalSeconds:0} s");
        }

        foreach (var number in _sockets.Wait((int)wait.TotalMilliseconds))
        {
            var client = _clients[number];
            var (wasReady, wasFinished) = (client.IsReady, client.Arrivals.LastSequence != 0);
            client.Receive(ref _shared);
            _open += !wasReady && client.IsReady ? 1 : 0;
            Finished += !wasFinished && client.Arrivals.LastSequence != 0 ? 1 : 0;
        }
    }
}

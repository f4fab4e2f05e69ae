namespace Harness.Benchmarks.Transports;

/// <summary>What one client and its server say to each other. An instance belongs to one client.</summary>
internal interface ILoadProtocol
{
    /// <summary>Whether who executes watches by that alone, as over <c>/ws</c>.</summary>
    bool StarterWatches { get; }

    /// <summary>Whether everything has been said that comes before the first command.</summary>
    bool IsReady { get; }

    /// <summary>What is sent at once on a new connection.</summary>
    byte[] Greeting(int port);

    /// <summary>The command that starts lines.</summary>
    byte[] Execute(Load load);

    /// <summary>The command that watches what was started.</summary>
    byte[] Watch(string id);

    /// <summary>Takes what has come, as far as it is whole.</summary>
    /// <param name="bytes">What was left the last time, and what is new.</param>
    /// <param name="arrivals">Gets what it means.</param>
    /// <param name="answer">Sends something back.</param>
    /// <returns>The bytes taken from the front.</returns>
    int Take(ReadOnlySpan<byte> bytes, Arrivals arrivals, Action<byte[]> answer);
}

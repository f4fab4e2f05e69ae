using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;

namespace Harness.Server.Tests.Storage;

/// <summary>Remembers every event any client has seen, by its bytes, and fails when one of them is ever seen otherwise. Thread-safe.</summary>
internal sealed class Witness
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<long, UInt128>> _seen = new();
    private readonly ConcurrentDictionary<string, byte> _unsettled = new();
    private string? _epoch;

    /// <summary>Every execution of which an event was seen.</summary>
    public IReadOnlyCollection<string> Executions => [.. _seen.Keys];

    /// <summary>Takes note of a frame.</summary>
    /// <returns>Its execution; null: it is no event.</returns>
    public string? See(byte[] frame)
    {
        var json = JsonElement.Parse(frame);
        if (!json.TryGetProperty("seq", out var sequence))
        {
            return null;
        }

        var id = json.GetProperty("id").GetString()!;
        var hash = BitConverter.ToUInt128(SHA256.HashData(frame));
        _unsettled.TryAdd(id, 0);
        Assert.Equal(hash, _seen.GetOrAdd(id, _ => new()).GetOrAdd(sequence.GetInt64(), hash));
        return id;
    }

    /// <summary>All that is kept has one identity, also after a restart.</summary>
    public void SeeEpoch(string epoch) => Assert.Equal(_epoch ??= epoch, epoch);

    /// <summary>Highest sequence seen.</summary>
    public long LastOf(string id) => _seen[id].Keys.Max();

    /// <summary>Every sequence seen, in order.</summary>
    public IEnumerable<long> SequencesOf(string id) => _seen[id].Keys.Order();

    /// <summary>Executions of which something was seen since the last call.</summary>
    public IReadOnlyCollection<string> TakeUnsettled()
    {
        var ids = _unsettled.Keys.ToList();
        _unsettled.Clear();
        return ids;
    }
}

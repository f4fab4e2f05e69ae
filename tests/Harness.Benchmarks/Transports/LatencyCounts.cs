using System.Numerics;

namespace Harness.Benchmarks.Transports;

/// <summary>How often each latency was seen, in microseconds, in steps of at most a 64th.</summary>
internal sealed class LatencyCounts
{
    private const int StepBits = 6;
    private const int Steps = 1 << StepBits;

    private readonly int[] _counts = new int[Steps * (32 - StepBits)];
    private long _total;

    /// <summary>Adds one; what is longer than half an hour counts as that.</summary>
    public void Add(long microseconds)
    {
        var value = (uint)Math.Clamp(microseconds, 0, int.MaxValue);
        var shift = Math.Max(0, BitOperations.Log2(value | 1) - StepBits);
        _counts[shift * Steps + (int)(value >> shift)]++;
        _total++;
    }

    /// <summary>Adds all of an other.</summary>
    public void Add(LatencyCounts other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        _total += other._total;
    }

    /// <summary>So many of a thousand are no slower, in microseconds; NaN when there is none.</summary>
    public double Quantile(int perMille)
    {
        var left = _total * perMille / 1000;
        for (var i = 0; i < _counts.Length; i++)
        {
            left -= _counts[i];
            if (left < 0)
            {
                var shift = Math.Max(0, (i >> StepBits) - 1);
                return (long)(i - shift * Steps) << shift;
            }
        }

        return double.NaN;
    }
}

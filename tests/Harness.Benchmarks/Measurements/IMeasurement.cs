using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>Something measured on one contender at a time; one table.</summary>
internal interface IMeasurement
{
    /// <summary>Of the works that a contender takes part in, the one this is; <c>--only</c> names it.</summary>
    string Work { get; }

    /// <summary>What the table is headed.</summary>
    string Title { get; }

    /// <summary>What is measured, in order.</summary>
    IReadOnlyList<Column> Columns { get; }

    /// <summary>What the server has done before.</summary>
    ServerState Server { get; }

    /// <summary>Measures.</summary>
    /// <returns>A value for each column.</returns>
    /// <exception cref="TimeoutException">The server is not able to do it.</exception>
    double[] Measure(Contender contender, MeasuredServer server);
}

/// <summary>What a server has done before it is measured.</summary>
internal enum ServerState
{
    /// <summary>Other works; it is compiled to its best.</summary>
    Used,

    /// <summary>A process of its own that has only been warmed up.</summary>
    Warm,

    /// <summary>A process of its own that has done nothing.</summary>
    New,
}

/// <summary>One thing measured.</summary>
/// <param name="Title">Says the unit.</param>
/// <param name="Format">How a value is written.</param>
/// <param name="Compared">Whether a column beside it says how it compares with the first row: how many times better that is.</param>
/// <param name="MoreIsBetter">Otherwise less is.</param>
/// <param name="Drawn">Whether the plot shows it; one or two of a measurement, of one unit.</param>
/// <param name="Needed">What it takes for the other columns to be comparable: the plot says so where it is less. 0: nothing is needed.</param>
internal sealed record Column(
    string Title, string Format, bool Compared = false, bool MoreIsBetter = false, bool Drawn = false, double Needed = 0);

using System.Globalization;

namespace Harness.Benchmarks.Transports;

/// <summary>Lines to be made and by how many sockets they are seen.</summary>
/// <param name="Sockets">How many clients there are.</param>
/// <param name="Lines">Lines of a run.</param>
/// <param name="Rate">Lines a second; 0 for as fast as can be.</param>
/// <param name="HasRunEach">Whether each client has a run of its own; otherwise there is one and all watch it.</param>
internal sealed record Load(int Sockets, long Lines, double Rate = 0, bool HasRunEach = false)
{
    /// <summary>Readers that a run waits for before its first line; more when others than the load's clients shall see it too.</summary>
    public int Watchers { get; init; } = HasRunEach ? 1 : Sockets;

    /// <summary>What is sent as the data of <c>execute</c>.</summary>
    public string Data => string.Create(
        CultureInfo.InvariantCulture, $"{{\"lines\":{Lines},\"rate\":{Rate},\"size\":100,\"watchers\":{Watchers}}}");
}

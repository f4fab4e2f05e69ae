using System.Reflection;
using Harness.Benchmarks.Measurements;

namespace Harness.Benchmarks.Transports;

/// <summary>All who are measured: Harness with each store, and the rivals that are installed.</summary>
internal static class Contenders
{
    /// <summary>No rival, but what the machine allows.</summary>
    public const string Limit = "ready blocks";

    private static readonly string[] Deliveries = ["W1", "W2", "W3", "W4", "W5", "W7", "warm-up"];
    private static readonly string[] Paths = ["W1", "W2", "W3", "W4"];
    private static readonly string[] Ours = [.. Deliveries, "W6", "W7 cancel", "W8"];

    /// <summary>Harness first: what others are compared with.</summary>
    public static IEnumerable<Contender> All(TransportOptions options) => [.. Own(options), .. DotNetRivals(), .. InstalledRivals.All(options)];

    private static IEnumerable<Contender> Own(TransportOptions options)
    {
        foreach (var (suffix, store) in Stores(options))
        {
            string[] server = [.. options.Executable, "server", "--port", "{port}", "--synthetic", .. store];
            yield return new("Harness" + suffix, server, () => new SocketProtocol(), Ours);
            yield return new($"Harness{suffix}, SSE", server, () => new EventStreamProtocol(), "W8");
            yield return new($"Harness{suffix}, SignalR JSON", server, () => new HubProtocol(isPacked: false, isGroup: false), "W8");
            yield return new($"Harness{suffix}, SignalR MessagePack", server, () => new HubProtocol(isPacked: true, isGroup: false), "W8");
            yield return new($"Harness{suffix}, strings", [.. Self(EmbeddedServer.Command), EmbeddedServer.Strings, .. store], () => new SocketProtocol(), "W1", "W3");
        }

        yield return new("Harness, through the stream", [.. Self(EmbeddedServer.Command), EmbeddedServer.Stream], () => new SocketProtocol(), Paths);
    }

    private static IEnumerable<(string Suffix, string[] Store)> Stores(TransportOptions options)
    {
        yield return ("", ["--memory"]);
        if (options.Data is { } data)
        {
            yield return (" SQLite", ["--data", data]);
        }

        if (options.Postgres is { } connection)
        {
            yield return (" PostgreSQL", ["--store", connection]);
        }
    }

    private static IEnumerable<Contender> DotNetRivals()
    {
        yield return new(Limit, Self(ReadyBlocksServer.Command), () => new SocketProtocol(), "W1", "W2");
        yield return new("naive Kestrel", AtItsBest(NaiveServer.Command), () => new SocketProtocol(), Deliveries);
        yield return new("SignalR group, JSON", AtItsBest(NaiveServer.Command), () => new HubProtocol(isPacked: false, isGroup: true), [.. Deliveries, "W8"]);
        yield return new("SignalR group, MessagePack", AtItsBest(NaiveServer.Command), () => new HubProtocol(isPacked: true, isGroup: true), [.. Deliveries, "W8"]);
    }

    // This program has Harness's settings for the compiler and the pool. Rivals get those that suit them: what lives in the framework is
    // faster once that is compiled anew by what it does, which without the delay of 0 never happens under load, and the pool as it is shipped.
    private static string[] AtItsBest(string command) => OperatingSystem.IsWindows()
        ? Self(command)
        : ["env", "DOTNET_TC_QuickJit=1", "DOTNET_TieredPGO=1", "DOTNET_TC_CallCountingDelayMs=0", "DOTNET_HillClimbing_Disable=0", .. Self(command)];

    private static string[] Self(string command) => ["dotnet", Assembly.GetExecutingAssembly().Location, command, "{port}"];
}

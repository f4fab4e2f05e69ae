using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Server.Tests.Transports.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Harness.Server.Tests;

/// <summary>What only a process of its own can show: signals, exit codes, environment, and what its log really says.</summary>
public sealed class ServerProcessTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task SignalEndsTheServerWithExitCode0(string signal)
    {
        using var server = Start();
        await ReadUntilAsync(server, "Synthetic load");

        await SignalAsync(server, signal);

        Assert.Contains("Stopping", await server.StandardOutput.ReadToEndAsync(Stop));
        await server.WaitForExitAsync(Stop);
        Assert.Equal(0, server.ExitCode);
    }

    [Theory]
    [InlineData("TERM", "json", "Watch")]
    [InlineData("TERM", "messagepack", "Tail")]
    [InlineData("INT", "messagepack", "Watch")]
    public async Task WatcherOverTheHubGetsTheResultBeforeASignalledServerIsGone(string signal, string protocol, string method)
    {
        using var server = Start("--Harness:Server:Synthetic=true", "--Harness:Server:Host=127.0.0.1");
        var url = (await ReadUntilAsync(server, "Synthetic load"))[0].Split(' ')[^1];
        await using var hub = await HubClient.ConnectAsync(new Uri($"{url.Replace("http:", "ws:")}/hub?access_token=first-key"), protocol);
        var closed = hub.ClosedAsync();
        var id = await hub.ExecuteAsync(new { lines = 1_000_000_000, rate = 100 });
        await using var watch = hub.StreamAsync<JsonElement>(method, id, 0L, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await watch.MoveNextAsync());

        await SignalAsync(server, signal);
        JsonElement last;
        do
        {
            last = watch.Current;
        }
        while (await watch.MoveNextAsync());

        last = method == "Watch" ? last.GetProperty("events").EnumerateArray().Last() : last;
        Assert.Equal(("result", "cancelled"), (last.Type(), last.GetProperty("data").Text("status")));
        Assert.Null(await closed);
        await server.StandardOutput.ReadToEndAsync(Stop);
        await server.WaitForExitAsync(Stop);
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task JsonLogIsOneObjectPerLine()
    {
        using var server = Start("--Harness:Server:LogFormat=json");
        var lines = await ReadUntilAsync(server, "Synthetic load");

        await SignalAsync(server, "TERM");
        lines.AddRange((await server.StandardOutput.ReadToEndAsync(Stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries));

        Assert.All(lines, line => Assert.NotNull(JsonNode.Parse(line)!["RenderedMessage"]));
    }

    [Fact]
    public async Task KeysOfTheEnvironmentAreAskedForAndNeverTold()
    {
        using var server = Start("--Harness:Server:Debug=true", "--Harness:Server:Host=127.0.0.1");
        var lines = await ReadUntilAsync(server, "Synthetic load");
        using var client = new HttpClient { BaseAddress = new Uri(lines[0].Split(' ')[^1]) };

        var closed = await client.GetAsync("/api/v1/system/info?access_token=no-such-key", Stop);
        var open = await client.GetAsync("/api/v1/system/info?access_token=second-key", Stop);
        await SignalAsync(server, "TERM");
        var log = string.Join('\n', lines) + await server.StandardOutput.ReadToEndAsync(Stop);

        Assert.Equal([401, 200], [(int)closed.StatusCode, (int)open.StatusCode]);
        Assert.Contains("GET /api/v1/system/info answered 200", log);
        Assert.DoesNotContain("-key", log.Replace("--api-key", ""));
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(HarnessServer).Assembly.Location, "--Harness:Server:Port=0", "--Harness:Store:MemoryOnly=true", .. args])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        start.Environment["HARNESS_API_KEYS"] = "first-key, second-key";
        start.Environment["VF_API_KEY"] = "";
        return Process.Start(start)!;
    }

    private static async Task<List<string>> ReadUntilAsync(Process server, string part)
    {
        var lines = new List<string>();
        while (await server.StandardOutput.ReadLineAsync(Stop) is { } line)
        {
            lines.Add(line);
            if (line.Contains(part))
            {
                return lines;
            }
        }

        throw new InvalidOperationException($"The server ended before it said '{part}': {string.Join('\n', lines)}");
    }

    private static async Task SignalAsync(Process server, string name)
    {
        using var kill = Process.Start("kill", ["-s", name, $"{server.Id}"]);
        await kill.WaitForExitAsync(Stop);
    }
}

using Harness.Server.Tests.Cli;
using Harness.Server.Tests.Clients;

[assembly: AssemblyFixture(typeof(HubFixture))]

namespace Harness.Server.Tests.Clients;

/// <summary>
/// One real server for all clients, started by the first one that needs it, without a key: the demo agent answers. The seed's scripts
/// bring a placeholder where a key should be, which counts as none.
/// </summary>
public sealed class HubFixture : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private (ChildProcess Process, Uri Address)? _server;

    /// <summary>Runs a client against the server, to its end.</summary>
    internal async Task<(int ExitCode, string Output)> RunAsync(string file, params string[] args)
    {
        await using var client = await StartAsync(file, args);
        return (await client.WaitForExitAsync(), client.Output);
    }

    /// <summary>Starts a client; wherever it says <c>localhost:8080</c>, the server's address is meant.</summary>
    internal async Task<ChildProcess> StartAsync(string file, params string[] args)
    {
        var address = await AddressAsync();
        var environment = new Dictionary<string, string?>
        {
            ["HARNESS_HTTP"] = $"http://{address.Authority}",
            ["HARNESS_WS"] = $"ws://{address.Authority}/ws",
        };
        return ChildProcess.Start(
            file, args.Select(arg => arg.Replace("localhost:8080", address.Authority)), TestContext.Current.CancellationToken, environment);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is var (process, _))
        {
            await process.DisposeAsync();
        }

        _starting.Dispose();
    }

    private async Task<Uri> AddressAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            _server ??= await HarnessExecutable.StartServerAsync("--synthetic", "--workflows", Repository.File("samples", "workflows"));
            return _server.Value.Address;
        }
        finally
        {
            _starting.Release();
        }
    }
}

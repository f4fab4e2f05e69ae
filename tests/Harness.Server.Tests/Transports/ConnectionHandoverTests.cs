using System.Text;
using System.Text.Json;

namespace Harness.Server.Tests.Transports;

/// <summary>A socket goes on when the request it began with has ended, and no client can tell.</summary>
public sealed class ConnectionHandoverTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RequestEndsWithItsHandshakeAndTheSocketGoesOn()
    {
        await using var app = await HarnessApp.StartAsync();
        using (var raw = await RawSocket.ConnectAsync(app))
        {
            await app.Log.WaitForAsync(line => line.StartsWith("Debug GET /ws answered 101", StringComparison.Ordinal));
            await PingAsync(raw);
            Assert.DoesNotContain(app.Log.Lines, line => line.Contains("socket of /ws is closed", StringComparison.Ordinal));
        }

        await app.Log.WaitForAsync(line => line.Contains("socket of /ws is closed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SocketHoldsNothingOfItsRequest()
    {
        var seen = new List<WeakReference>();
        await using var app = await HarnessApp.StartAsync(
            services => services.AddTransient<IStartupFilter>(_ => new Watched(context => seen.Add(new WeakReference(context)))));
        using var raw = await RawSocket.ConnectAsync(app);
        await PingAsync(raw);

        while (seen[0].IsAlive)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
            GC.Collect();
        }

        await PingAsync(raw);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OverTlsItGoesOnTooWhereItStandsBehindIt(bool isBehind)
    {
        await using var app = await TlsApp.StartAsync(
            (endpoint, useTls) =>
            {
                (isBehind ? useTls : () => endpoint.UseHarness())();
                (isBehind ? () => endpoint.UseHarness() : useTls)();
            },
            ("Synthetic", "true"));
        using var raw = await RawSocket.ConnectAsync(TlsApp.AddressOf(app));
        if (isBehind)
        {
            await app.Log.WaitForAsync(line => line.StartsWith("Debug GET /ws answered 101", StringComparison.Ordinal));
        }

        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":5000}}""");

        for (var sequence = 1; sequence <= 5002; sequence++)
        {
            Assert.Equal(sequence, JsonElement.Parse((await raw.ReadAsync())!.Value.Payload).GetProperty("seq").GetInt32());
        }

        raw.Dispose();
        await app.Log.WaitForAsync(line => line.Contains("socket of /ws is closed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatCameWithTheHandshakeIsNotLost()
    {
        await using var app = await HarnessApp.StartAsync();
        using var raw = await RawSocket.ConnectAsync(
            app.Address, atOnce: RawSocket.Frame(RawSocket.Text, """{"action":"ping","ref":"early"}"""u8.ToArray()));

        Assert.Equal("early", JsonElement.Parse((await raw.ReadAsync())!.Value.Payload).Text("ref"));
    }

    private static async Task PingAsync(RawSocket raw)
    {
        await raw.SendAsync(RawSocket.Text, """{"action":"ping","ref":"1"}""");
        Assert.Contains("pong", Encoding.UTF8.GetString((await raw.ReadAsync())!.Value.Payload), StringComparison.Ordinal);
    }

    private sealed class Watched(Action<HttpContext> see) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, inner) =>
            {
                see(context);
                return inner(context);
            });
            next(app);
        };
    }
}

using System.Text.Json;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests;

public sealed class WarmUpTests
{
    [Fact]
    public async Task ClientIsServedAsAnyOther()
    {
        var frames = new List<JsonElement>();

        await WarmUp.ServeAsync(frame => frames.Add(JsonElement.Parse(frame.Span)), () => false, TestContext.Current.CancellationToken);

        Assert.Equal(["completed", "completed"], Of("result").Select(frame => frame.GetProperty("data").GetProperty("status").GetString()));
        Assert.Equal(["not_found", "not_found"], Of("error").Select(frame => frame.GetProperty("code").GetString()));
        Assert.True(Of("log").Count() > 5_000);
        Assert.Contains(Of("log"), frame => frame.GetRawText().Contains("PASSED", StringComparison.OrdinalIgnoreCase));

        IEnumerable<JsonElement> Of(string type) => frames.Where(frame => frame.GetProperty("type").GetString() == type);
    }

    [Fact]
    public async Task NothingOfItIsSeenInTheServer()
    {
        await using var app = await HarnessApp.StartAsync();
        var before = app.Log.Lines.Count;

        await WarmUp.RunAsync(app.Log, () => false, TestContext.Current.CancellationToken);

        Assert.Empty(app.Executions.List());
        Assert.Equal(0, app.Services.GetRequiredService<SocketTable>().Count);
        Assert.Equal(before, app.Log.Lines.Count);
    }

    [Fact]
    public async Task ItStepsAsideAsSoonAsSomebodyIsServed()
    {
        var frames = new List<JsonElement>();

        await WarmUp.ServeAsync(frame => frames.Add(JsonElement.Parse(frame.Span)), () => frames.Count > 100, TestContext.Current.CancellationToken);

        // What had begun, and nothing more.
        Assert.Equal(5_002, frames.Count);
    }

    [Fact]
    public async Task ItEndsWhenItIsToldToAndSaysSoInTheDebugLog()
    {
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WarmUp.ServeAsync(_ => stop.Cancel(), () => false, stop.Token));

        var log = new LogLines();
        await WarmUp.RunAsync(log, () => false, stop.Token);
        Assert.StartsWith("Debug The server could not warm itself up", Assert.Single(log.Lines), StringComparison.Ordinal);
    }
}

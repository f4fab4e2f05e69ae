using Harness.Server.Transports;
using Harness.Server.Transports.Rest;

namespace Harness.Server.Tests.Transports.Rest;

/// <summary>A stream of server-sent events and the heartbeat that may cut it.</summary>
public sealed class EventStreamTests
{
    [Fact]
    public async Task StreamIsNotCutWhenItsRequestHasEnded()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.StartAsync(app, "a line");
        var context = new DefaultHttpContext();
        var stream = new EventStream(context, execution, new SubscribeCommand(execution.Id, 1, null, null, false), new EventText(execution, false), 0);

        stream.Dispose();
        context.Uninitialize();
        stream.Cut();

        Assert.ThrowsAny<Exception>(context.Abort);
    }
}

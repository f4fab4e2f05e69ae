using System.IO.Pipelines;
using System.Text;
using Harness.Executions;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;
using Microsoft.AspNetCore.Http.Features;

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

    [Fact]
    public async Task LongEventIsWrittenInPieces()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.RunAsync(app, [.. Enumerable.Range(0, 8).Select(i => new string((char)('a' + i), 60_000))]);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseBodyFeature>(new PipeBody(pipe.Writer));
        var result = execution.Log.LastSequence;
        using var stream = new EventStream(context, execution, new SubscribeCommand(execution.Id, result, null, null, false), new EventText(execution, false), 0);

        var running = stream.RunAsync(TimeProvider.System).ContinueWith(_ => pipe.Writer.Complete(), TaskScheduler.Default);
        var text = new StringBuilder();
        var longest = 0L;
        while (await pipe.Reader.ReadAsync(Stop) is { Buffer.IsEmpty: false } read)
        {
            longest = Math.Max(longest, read.Buffer.Length);
            text.Append(Encoding.UTF8.GetString(read.Buffer));
            pipe.Reader.AdvanceTo(read.Buffer.End);
        }

        await running;
        Assert.InRange(longest, 1, 128 * 1024);
        Assert.Contains($"event: result\ndata: {Encoding.UTF8.GetString(await LastAsync(execution))}\n\nid: {execution.Epoch}-{result}\nevent: end\n", text.ToString());
        Assert.True(text.Length > 400_000, "the result repeats its lines");
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<byte[]> LastAsync(Execution execution)
    {
        byte[] last = [];
        await foreach (var json in execution.Log.ReadEventsAsync(execution.Log.LastSequence, Stop))
        {
            last = json.ToArray();
        }

        return last;
    }

    private sealed class PipeBody(PipeWriter writer) : IHttpResponseBodyFeature
    {
        public PipeWriter Writer => writer;

        public Stream Stream => writer.AsStream();

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task CompleteAsync() => Task.CompletedTask;
    }
}

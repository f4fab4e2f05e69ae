using System.Text;
using System.Threading.Channels;
using Harness.Executions;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>What shares a turn of a socket, and what waits for the next.</summary>
public sealed class SocketPumpTests
{
    private static readonly byte[] Reply = [0x81, 0x05, .. "reply"u8];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // A reply that comes while a turn writes is sent at the beginning of the next one. The long result is longer than a segment: it shares none with the last line.
    [Theory]
    [InlineData(4_000, "last line, reply, result")]
    [InlineData(10, "last line, result, reply")]
    public async Task LongResultWaitsForTheNextTurnAndAShortOneGoesWithTheLastLines(int lines, string expected)
    {
        await using var app = await HarnessApp.StartAsync();
        var (goOn, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        var execution = app.Executions.Start(new ExecutionPlan(new ExecutionRequest { Kind = "test", Name = "a test" }, async (log, stop) =>
        {
            for (var i = 0; i < lines; i++)
            {
                await log.WriteAsync(new string('x', 100), stop);
            }

            await goOn.Task.WaitAsync(stop);
            await log.WriteAsync("first of the end", stop);
            await end.Task.WaitAsync(stop);
            await log.WriteAsync("last line", stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        }));
        using var peer = new Peer();
        await using var stream = new SocketStream(peer, peer, socket: null);
        var pump = new SocketPump(stream, new PumpQueue(), _ => { });
        pump.Watch(execution, wantsEvents: true);
        await peer.ReadUntilAsync($"\"seq\":{lines + 1}");

        goOn.SetResult();
        var writing = await peer.WritingAsync("first of the end");
        end.SetResult();
        await execution.Completion.WaitAsync(Stop);
        writing.SetResult();
        writing = await peer.WritingAsync("last line");
        Assert.True(pump.TryReply(Reply));
        writing.SetResult();
        await peer.ReadUntilAsync("\"type\":\"result\"", "reply");

        var text = peer.Text;
        string[] parts = ["\"message\":\"last line\"", "\u0005reply", "\"type\":\"result\""];
        string[] names = ["last line", "reply", "result"];
        Assert.Equal(expected, string.Join(", ", names.OrderBy(name => text.IndexOf(parts[Array.IndexOf(names, name)], StringComparison.Ordinal))));
        pump.Stop();
        await peer.ReadUntilAsync(pump.Stopped);
    }

    [Fact]
    public async Task LastWordIsSentInPlaceOfTheRestWhenTheTimeIsUp()
    {
        await using var app = await HarnessApp.StartAsync();
        var lines = Enumerable.Range(0, 1_000).Select(i => new string('x', 1_000)).Append("last line").ToArray();
        var execution = await new ManualKind().StartAsync(app, lines);
        using var peer = new Peer();
        await using var stream = new SocketStream(peer, peer, socket: null);
        var pump = new SocketPump(stream, new PumpQueue(), _ => { });
        pump.Watch(execution, wantsEvents: true);
        var writing = await peer.WritingAsync("\"seq\":2,");

        var draining = pump.DrainAsync(Reply, TimeSpan.Zero, Stop);
        writing.SetResult();
        await peer.ReadUntilAsync("reply");
        await draining;

        Assert.EndsWith("\u0005reply", peer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("last line", peer.Text, StringComparison.Ordinal);
        pump.Stop();
        await peer.ReadUntilAsync(pump.Stopped);
    }

    /// <summary>Takes each write when the test says so.</summary>
    private sealed class Peer : MemoryStream
    {
        // A pump writes one thing at a time.
        private readonly Channel<(string Text, TaskCompletionSource Taken)> _writes = Channel.CreateBounded<(string, TaskCompletionSource)>(1);

        private readonly StringBuilder _text = new();

        public string Text => _text.ToString();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await _writes.Writer.WriteAsync((Encoding.Latin1.GetString(buffer.Span), taken), cancellationToken);
            await taken.Task.WaitAsync(cancellationToken);
        }

        /// <summary>Takes writes until all of this was in them.</summary>
        public async Task ReadUntilAsync(params string[] wanted)
        {
            while (!wanted.All(part => Text.Contains(part, StringComparison.Ordinal)))
            {
                var (text, taken) = await _writes.Reader.ReadAsync(Stop);
                _text.Append(text);
                taken.SetResult();
            }
        }

        /// <summary>Takes writes until this has ended.</summary>
        public async Task ReadUntilAsync(Task end)
        {
            while (!end.IsCompleted)
            {
                await Task.WhenAny(end, _writes.Reader.WaitToReadAsync(Stop).AsTask()).WaitAsync(Stop);
                if (_writes.Reader.TryRead(out var write))
                {
                    write.Taken.SetResult();
                }
            }
        }

        /// <summary>Takes writes up to the one that has this, which goes on waiting.</summary>
        public async Task<TaskCompletionSource> WritingAsync(string wanted)
        {
            while (true)
            {
                var (text, taken) = await _writes.Reader.ReadAsync(Stop);
                _text.Append(text);
                if (text.Contains(wanted, StringComparison.Ordinal))
                {
                    return taken;
                }

                taken.SetResult();
            }
        }
    }
}

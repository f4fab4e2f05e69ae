using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Harness.Executions;

namespace Harness.Tests.Executions;

public sealed class FramePackerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void WhateverIsPackedUnpacksToTheSameBytes()
    {
        var lines = ArbMap.Default.GeneratorFor<string>().Where(line => line is not null).ArrayOf().Resize(30).ToArbitrary();

        Prop.ForAll(lines, written =>
        {
            using var engine = new Engine();
            var execution = engine.Start((log, _) =>
            {
                Assert.All(written, line => Assert.True(log.TryWrite(line)));
                return Task.FromResult(new ExecutionResult(ExecutionStatus.Completed));
            });
            Assert.True(SpinWait.SpinUntil(() => execution.Log.IsSealed, TimeSpan.FromSeconds(20)));
            using var cursor = execution.Log.OpenCursor(1, new LogBell());
            while (cursor.TryTake(out var range))
            {
                var packed = FramePacker.Pack(
                    execution.Id, range.Frames.Span, range.First, (int)(range.Last - range.First + 1), range.HasEvents);
                var stretch = new StoredFrames(range.First, range.Last, packed);

                Assert.True(FramePacker.TryReadHeader(stretch, out var header));
                var unpacked = new byte[header.FrameBytes];
                FramePacker.Unpack(execution.Id, stretch, unpacked);
                Assert.Equal(range.Frames.ToArray(), unpacked);
            }
        }).Check(Config.QuickThrowOnFailure);
    }

    [Fact]
    public async Task WhatIsPackedWhileItIsWrittenIsWhatItsFramesArePackedTo()
    {
        var store = new FakeStore();
        using var engine = new Engine(store: store);
        var execution = engine.Start(async (log, stop) =>
        {
            for (var i = 0; i < 3000; i++)
            {
                await log.WriteAsync(new string('é', i % 300) + "\"\n<" + i, stop);
                if (i % 500 == 0)
                {
                    await log.EmitAsync("step", "{\"n\":1}"u8.ToArray(), stop);
                }
            }

            return new ExecutionResult(ExecutionStatus.Completed);
        });
        await execution.Completion.WaitAsync(Stop);

        using var cursor = execution.Log.OpenCursor(1, new LogBell());
        var frames = new List<byte[]>();
        while (cursor.TryTake(out var range))
        {
            frames.AddRange(Split(range.Frames.Span));
        }

        var stretches = store.FramesOf(1);
        Assert.InRange(stretches.Count, 3, 3000);

        // The result is stored without the lines it repeats.
        Assert.All(stretches.SkipLast(1), stretch =>
        {
            Assert.True(FramePacker.TryReadHeader(stretch, out var header));
            var its = frames[(int)(stretch.First - 1)..(int)stretch.Last];
            Assert.Equal(its.Exists(frame => Encoding.UTF8.GetString(frame).Contains("\"event\"", StringComparison.Ordinal)), header.HasEvents);
            Assert.Equal(
                FramePacker.Pack(execution.Id, its.SelectMany(frame => frame).ToArray(), stretch.First, its.Count, header.HasEvents),
                stretch.Packed.ToArray());
        });
    }

    [Fact]
    public async Task LineOfAHundredCharactersTakesLittleMore()
    {
        const int Lines = 500;
        var store = new FakeStore();
        using var engine = new Engine(store: store);
        var execution = await engine.RunAsync([.. Enumerable.Repeat(new string('x', 100), Lines)]);
        await execution.Completion.WaitAsync(Stop);

        var lines = store.FramesOf(1).Where(stretch => stretch.First > 1 && stretch.Last < Lines + 2).ToList();

        Assert.Equal(Lines, lines.Sum(stretch => stretch.Last - stretch.First + 1));
        Assert.All(lines, stretch => Assert.InRange(
            stretch.Packed.Length, 1, (105 * (stretch.Last - stretch.First + 1)) + 20));
    }

    private static List<byte[]> Split(ReadOnlySpan<byte> frames)
    {
        var all = new List<byte[]>();
        while (!frames.IsEmpty)
        {
            var (start, length) = WebSocketFrame.Measure(frames);
            all.Add(frames[..(start + length)].ToArray());
            frames = frames[(start + length)..];
        }

        return all;
    }

    [Fact]
    public void EveryChangedByteAndEveryCutIsSeen()
    {
        var frame = WebSocketFrame.Of(Encoding.UTF8.GetBytes("{\"type\":\"status\",\"id\":\"E\",\"seq\":1,\"ts\":\"2026-11-21T17:00:00.123Z\"}"));
        var packed = FramePacker.Pack("E", frame, 1, 1, hasEvents: false);

        for (var i = 0; i < packed.Length; i++)
        {
            var changed = packed.ToArray();
            changed[i] ^= 0x10;
            Assert.False(FramePacker.TryReadHeader(new StoredFrames(1, 1, changed), out _));
            Assert.False(FramePacker.TryReadHeader(new StoredFrames(1, 1, packed.AsMemory(0, i)), out _));
        }

        Assert.True(FramePacker.TryReadHeader(new StoredFrames(1, 1, packed), out _));
        Assert.False(FramePacker.TryReadHeader(new StoredFrames(1, 2, packed), out _));
    }
}

using System.Buffers;
using System.Text;
using System.Threading.Channels;
using FsCheck;
using FsCheck.Fluent;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>Frames in another format, made once for all readers of a log.</summary>
public sealed class FrameTextTests
{
    private const int LineLength = 300;
    private const int ResultLength = 3_000 * 2 * LineLength;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReadersThatFollowGetEveryFrameOfSeveralSegmentsAndEachIsMadeOnce()
    {
        using var engine = new Engine();
        var (execution, lines) = Start(engine);
        var format = new Numbered();
        using var readers = new Readers(execution, 4);
        for (var portion = 1; portion <= 30; portion++)
        {
            await lines.Writer.WriteAsync(10 * portion, Stop);
            await readers.WaitForAsync(1 + portion * (portion + 1) * 5);
            Assert.All(readers.Each, reader => reader.TakeAll(format, pieces: 1));
        }

        lines.Writer.Complete();
        await execution.Completion.WaitAsync(TimeLimit, Stop);
        Assert.All(readers.Each, reader => reader.TakeAll(format, pieces: 1));

        var expected = await ExpectedAsync(execution);
        Assert.All(readers.Each, reader => Assert.Equal(expected, reader.Text));
        Assert.All(readers.Each, reader => Assert.Equal(0, reader.WrittenAlone));
        Assert.Equal(execution.Log.LastSequence, format.Written);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ReadersAtAnyPaceGetTheSameAsOneWhoWritesItAlone(int room) => Prop.ForAll(
        Gen.Choose(0, 255).ArrayOf().Resize(60).ToArbitrary(), paces => CheckAsync(paces, room)).Check(Config.QuickThrowOnFailure.WithMaxTest(10));

    private static async Task CheckAsync(int[] paces, int room)
    {
        using var engine = new Engine();
        var (execution, lines) = Start(engine);

        // Up to three times the frame, which is more than there is room for.
        var format = new Numbered { Padding = LineLength * room };
        using var readers = new Readers(execution, 5);
        var written = 1;
        foreach (var pace in paces)
        {
            await lines.Writer.WriteAsync(pace, TestContext.Current.CancellationToken);
            await readers.WaitForAsync(written += pace);
            readers.Each[pace % 5].TakeAll(format, pieces: 1 + pace % 3);
            readers.Each[pace / 5 % 5].TakeOne(format, pieces: 1 + pace % 4);
        }

        lines.Writer.Complete();
        await execution.Completion.WaitAsync(TimeLimit, TestContext.Current.CancellationToken);
        Assert.All(readers.Each, reader => reader.TakeAll(format, pieces: 2));

        var expected = await ExpectedAsync(execution);
        Assert.All(readers.Each, reader => Assert.Equal(expected, reader.Text.Replace(format.Pad, "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task TwoReadersWriteForThemselvesAndSoDoesAFormatThatIsNobodyElses()
    {
        using var engine = new Engine();
        var execution = await engine.RunAsync("one", "two");
        using var two = new Readers(execution, 1);
        Assert.Equal(2, execution.Log.ReaderCount);
        Assert.All(two.Each, reader => reader.TakeAll(new Numbered(), pieces: 1));
        Assert.All(two.Each, reader => Assert.NotEqual(0, reader.WrittenAlone));

        using var more = new Readers(execution, 3);
        Assert.All(more.Each, reader => reader.TakeAll(new Numbered { IsShared = false }, pieces: 1));
        Assert.All(more.Each, reader => Assert.NotEqual(0, reader.WrittenAlone));
    }

    [Fact]
    public async Task MemoryOfTextsIsGivenBackWhenTheReadersHaveGone()
    {
        using var engine = new Engine();
        var (execution, lines) = Start(engine);
        await lines.Writer.WriteAsync(3_000, Stop);
        lines.Writer.Complete();
        await execution.Completion.WaitAsync(TimeLimit, Stop);
        await execution.DescribeAsync(cancellationToken: Stop);
        var before = engine.Registry.LogBytes;

        using (var readers = new Readers(execution, 4))
        {
            // One stands in the first segment, whose text was dropped for newer ones meanwhile.
            readers.Each[0].TakeOne(new Numbered(), pieces: 1);
            readers.Each.Skip(1).ToList().ForEach(reader => reader.TakeAll(new Numbered(), pieces: 1));
            Assert.InRange(engine.Registry.LogBytes, before + 1, before + 7 * 2 * SegmentPool.LargestSegment + ResultLength);
        }

        Assert.Equal(before, engine.Registry.LogBytes);
    }

    // Writes as many lines as it is told to, each time.
    private static (Execution Execution, Channel<int> Lines) Start(Engine engine)
    {
        var lines = Channel.CreateBounded<int>(1);
        var execution = engine.Start(async (log, stop) =>
        {
            await foreach (var count in lines.Reader.ReadAllAsync(stop))
            {
                for (var line = 0; line < count; line++)
                {
                    await log.WriteAsync(new string('x', LineLength), stop);
                }
            }

            return new ExecutionResult(ExecutionStatus.Completed);
        });
        return (execution, lines);
    }

    private static async Task<string> ExpectedAsync(Execution execution)
    {
        var text = new ArrayBufferWriter<byte>();
        var sequence = 1L;
        await foreach (var json in execution.Log.ReadEventsAsync(cancellationToken: TestContext.Current.CancellationToken))
        {
            new Numbered().Write(json.Span, sequence++, text);
        }

        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    // Most frames with their number; of some nothing at all.
    private sealed class Numbered : IFrameFormat
    {
        public object? Key => IsShared ? Padding : null;

        public bool IsShared { get; init; } = true;

        public int Padding { get; init; }

        public int Written { get; private set; }

        public string Pad => Padding == 0 ? "\0" : new string(' ', Padding);

        public void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
        {
            Written++;
            if (sequence % 5 != 0)
            {
                output.Write(Encoding.UTF8.GetBytes($"{sequence} "));
                output.Write(Encoding.UTF8.GetBytes(new string(' ', Padding)));
                output.Write(json);
                output.Write("\n"u8);
            }
        }
    }

    private sealed class Readers : IDisposable
    {
        private readonly LogBell _bell = new();
        private readonly LogCursor _first;

        public Readers(Execution execution, int count)
        {
            _first = execution.Log.OpenCursor(1, _bell);
            Each = [.. Enumerable.Range(0, count).Select(_ => new Reader(execution.Log.OpenCursor(1, new LogBell())))];
        }

        public IReadOnlyList<Reader> Each { get; }

        public async Task WaitForAsync(long sequence)
        {
            while (true)
            {
                while (_first.TryTake(out _))
                {
                }

                if (_first.Next > sequence)
                {
                    return;
                }

                if (_first.TryPark())
                {
                    await _bell.WaitAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeLimit);
                }
            }
        }

        public void Dispose()
        {
            _first.Dispose();
            foreach (var reader in Each)
            {
                reader.Cursor.Dispose();
            }
        }
    }

    private sealed class Reader(LogCursor cursor)
    {
        private readonly ArrayBufferWriter<byte> _text = new();

        public LogCursor Cursor => cursor;

        public string Text => Encoding.UTF8.GetString(_text.WrittenSpan);

        public int WrittenAlone { get; private set; }

        public void TakeAll(IFrameFormat format, int pieces)
        {
            while (TakeOne(format, pieces))
            {
            }
        }

        public bool TakeOne(IFrameFormat format, int pieces)
        {
            if (!cursor.TryTake(out var range))
            {
                return false;
            }

            var frames = range.Frames.Span;
            var step = Math.Max(1, (range.Last - range.First + 1) / pieces);
            for (var first = range.First; first <= range.Last; first += step)
            {
                var last = Math.Min(range.Last, first + step - 1);
                var isShared = cursor.TryRender(format, first, last, out var text);
                for (var sequence = first; sequence <= last; sequence++)
                {
                    var (start, length) = WebSocketFrame.Measure(frames);
                    if (!isShared)
                    {
                        WrittenAlone++;
                        format.Write(frames.Slice(start, length), sequence, _text);
                    }

                    frames = frames[(start + length)..];
                }

                _text.Write(text.Span);
            }

            return true;
        }
    }
}

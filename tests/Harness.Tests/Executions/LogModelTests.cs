using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>
/// The log against a model of it: whatever is appended, subscribed to, read slowly, resumed, completed and cancelled in whatever order, every
/// reader gets every event once and in order, and is told exactly what is gone.
/// </summary>
public sealed class LogModelTests
{
    private const int Runs = 150;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryReaderGetsEveryEventOnceInOrderWithTheResultLastAndMissingRangesExact(bool hasStore)
    {
        var (truncations, reads) = (0, 0);
        var scripts = Gen.Choose(0, 1_000_000).ArrayOf().Resize(60).ToArbitrary();

        Prop.ForAll(scripts, script =>
        {
            var store = new FakeStore();
            using var world = new World(hasStore ? store : null);
            foreach (var step in script)
            {
                world.Do(step % 9, step / 9);
            }

            world.Finish();
            truncations += world.Truncations;
            reads += store.Reads;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Runs));

        // Readers must have fallen behind the window, or the test has shown less than it says. With a store nothing is gone then.
        Assert.InRange(hasStore ? reads : truncations, 1, int.MaxValue);
        Assert.True(!hasStore || truncations == 0);
    }

    private sealed class World : IDisposable
    {
        private readonly Engine _engine;
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Execution _execution;
        private readonly List<Reader> _readers = [];

        // What each sequence must be: a line, or the type of an event that is none.
        private readonly Dictionary<long, string> _model = new() { [1] = "status" };
        private bool _ended;

        public World(FakeStore? store)
        {
            _engine = new Engine(new ExecutionOptions { WindowBytes = 64 * 1024 }, store: store);
            _execution = _engine.Start(async (_, stop) =>
            {
                await _end.Task.WaitAsync(stop);
                return new ExecutionResult(ExecutionStatus.Completed);
            });
        }

        public int Truncations { get; private set; }

        public void Do(int action, int argument)
        {
            var reader = _readers.Count == 0 ? null : _readers[argument % _readers.Count];
            switch (action)
            {
                case 0 or 1 or 2:
                    Append(1 + (argument % 100), 1 + (argument % 300));
                    break;
                case 3:
                    Emit(argument);
                    break;
                case 4:
                    _readers.Add(new Reader(_execution.Log, argument % (_model.Count + 5)));
                    break;
                case 5 when reader is not null:
                    Truncations += reader.Take(_model, atMost: 1 + (argument % 2)) ? 1 : 0;
                    break;
                case 6 when reader is not null:
                    Drain(reader);
                    break;
                case 7 when reader is not null:
                    _readers.Remove(reader);
                    _readers.Add(reader.Resume());
                    break;
                case 8 when argument % 10 == 0:
                    End(cancels: argument % 20 == 0);
                    break;
            }
        }

        public void Finish()
        {
            _readers.Add(new Reader(_execution.Log, 1));
            End(cancels: false);
            foreach (var reader in _readers)
            {
                Drain(reader);
                Assert.True(reader.IsAtEnd);
                Assert.True(reader.Next > _model.Count);
            }
        }

        public void Dispose()
        {
            _readers.ForEach(reader => reader.Dispose());
            _engine.Dispose();
        }

        private void Append(int lines, int length)
        {
            for (var i = 0; i < lines && !_ended; i++)
            {
                var line = new string((char)('a' + (i % 26)), length);
                Assert.True(SpinWait.SpinUntil(() => _execution.Log.TryWrite(line), TimeSpan.FromSeconds(20)));
                _model[_model.Count + 1] = line;
            }

            Settle();
        }

        private void Emit(int number)
        {
            if (!_ended)
            {
                Assert.True(_execution.Log.EmitAsync("step", Encoding.UTF8.GetBytes($"{number}")).AsTask().IsCompletedSuccessfully);
                _model[_model.Count + 1] = "event";
                Settle();
            }
        }

        private void End(bool cancels)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
            if (cancels)
            {
                Assert.True(_engine.Registry.TryCancel(_execution));
            }
            else
            {
                _end.SetResult();
            }

            _model[_model.Count + 1] = "result";
            Settle();
            Assert.True(SpinWait.SpinUntil(() => _execution.Log.IsSealed, TimeSpan.FromSeconds(20)));
        }

        private void Settle() =>
            Assert.True(SpinWait.SpinUntil(() => _execution.Log.LastSequence == _model.Count, TimeSpan.FromSeconds(20)));

        private void Drain(Reader reader)
        {
            do
            {
                Truncations += reader.Take(_model, atMost: 3) ? 1 : 0;
            }
            while (reader.HasTaken);
        }
    }

    private sealed class Reader(ExecutionLog log, long from) : ILogWatcher, IDisposable
    {
        private LogCursor? _cursor;

        public long Next { get; private set; } = Math.Max(1, from);

        public bool HasTaken { get; private set; }

        public bool IsAtEnd => Cursor.IsAtEnd;

        private LogCursor Cursor => _cursor ??= log.OpenCursor(Next, this);

        /// <summary>Takes one range, or some in one go, and then holds them against the model. True when it told of a gap.</summary>
        public bool Take(Dictionary<long, string> model, int atMost)
        {
            LogRange range = default;
            HasTaken = false;

            // What has to come from the store comes in a moment.
            Assert.True(SpinWait.SpinUntil(
                () => (HasTaken = Cursor.TryTake(out range)) || !Cursor.IsLoading, TimeSpan.FromSeconds(20)));
            if (!HasTaken)
            {
                return false;
            }

            var taken = new List<LogRange> { range };
            while (taken.Count < atMost && Cursor.TryTakeMore(out var more))
            {
                Assert.False(more.IsTruncated);
                taken.Add(more);
            }

            taken.ForEach(one => Check(one, model));
            return range.IsTruncated;
        }

        public Reader Resume()
        {
            Dispose();
            return new Reader(log, Next);
        }

        public void Dispose() => _cursor?.Dispose();

        public void OnAppended()
        {
        }

        private void Check(LogRange range, Dictionary<long, string> model)
        {
            Assert.Equal(Next, range.First);
            Assert.InRange(range.Last, range.First, model.Count);
            var frames = range.Frames;
            for (; !frames.IsEmpty; Next++)
            {
                var (start, length) = WebSocketFrame.Measure(frames.Span);
                var json = JsonElement.Parse(frames.Span.Slice(start, length));
                Assert.Equal(Next, json.Sequence());
                Assert.Equal(model[Next], json.Type() == "log" ? json.Text("message") : json.Type());
                frames = frames[(start + length)..];
            }

            Next = range.IsTruncated ? range.Last + 1 : Next;
            Assert.Equal(range.Last + 1, Next);
        }
    }
}

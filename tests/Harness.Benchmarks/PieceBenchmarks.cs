using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using BenchmarkDotNet.Attributes;
using Harness.Executions;
using Harness.Server.Transports.SignalR;
using Harness.Server.Transports.SignalR.MessagePack;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Harness.Benchmarks;

/// <summary>The pieces a line goes through, each alone, per line: encoded, read by a cursor, packed for a store, framed for SignalR.</summary>
[MemoryDiagnoser]
public class PieceBenchmarks : IDisposable
{
    private const int Lines = 1_000;
    private static readonly string Text = new('x', 100);
    private static readonly byte[] Line = Encoding.UTF8.GetBytes(Text);
    private static readonly string Id = Guid.NewGuid().ToString();

    private readonly ExecutionRegistry _registry = new(
        Options.Create(new ExecutionOptions()), new MemoryOnlyStore(), TimeProvider.System, NullLogger<ExecutionRegistry>.Instance);

    private readonly FrameEncoder _encoder = new(Id);
    private readonly byte[] _frame = new byte[1024];
    private readonly Channel<byte[]> _channel = Channel.CreateBounded<byte[]>(Lines);
    private readonly LogBell _bell = new();
    private ExecutionLog _log = null!;
    private LogCursor _held = null!;
    private byte[] _frames = [];
    private StoredFrames _packed;

    /// <summary>Makes the log that is read; one reader keeps it from being packed.</summary>
    [GlobalSetup]
    public async Task PrepareAsync()
    {
        var execution = _registry.Start(new ExecutionPlan(
            new ExecutionRequest { Kind = "benchmark", Name = "lines", Id = Id },
            async (log, stop) =>
            {
                await log.WaitForReadersAsync(1, stop);
                for (var line = 0; line < Lines; line++)
                {
                    await log.WriteAsync(Line, stop);
                }

                return new ExecutionResult(ExecutionStatus.Completed);
            }));
        _log = execution.Log;
        _held = _log.OpenCursor(1, _bell);
        await execution.Completion;
        using var cursor = _log.OpenCursor(2, _bell);
        using var frames = new MemoryStream();
        while (cursor.TryTake(out var range))
        {
            frames.Write(range.Frames.Span);
        }

        _frames = frames.ToArray();
        _packed = new StoredFrames(2, _log.LastSequence, FramePacker.Pack(Id, _frames, 2, Lines + 1, hasEvents: false));
    }

    /// <summary>The naive way: an object for each line.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Lines)]
    public int EncodeNaively()
    {
        var bytes = 0;
        for (var line = 1L; line <= Lines; line++)
        {
            bytes += JsonSerializer.SerializeToUtf8Bytes(new { type = "log", id = Id, message = Text, seq = line, ts = DateTimeOffset.UtcNow }).Length;
        }

        return bytes;
    }

    /// <summary>Into a ready frame.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public int Encode()
    {
        var bytes = 0;
        for (var line = 1L; line <= Lines; line++)
        {
            var size = _encoder.SizeOfLog(JsonText.EscapedLength(Line), line);
            _encoder.WriteLog(_frame.AsSpan(0, size), Line, line, DateTimeOffset.UtcNow);
            bytes += size;
        }

        return bytes;
    }

    /// <summary>What others hand lines over with: a frame at a time through a bounded channel.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public int PassThroughChannel()
    {
        for (var line = 0; line < Lines; line++)
        {
            _channel.Writer.TryWrite(_frame);
        }

        var bytes = 0;
        while (_channel.Reader.TryRead(out var frame))
        {
            bytes += frame.Length;
        }

        return bytes;
    }

    /// <summary>A cursor from the first frame to the last.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public int ReadByCursor()
    {
        using var cursor = _log.OpenCursor(1, _bell);
        var bytes = 0;
        while (cursor.TryTake(out var range))
        {
            bytes += range.Frames.Length;
        }

        return bytes;
    }

    /// <summary>As a store keeps frames.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public int Pack() => FramePacker.Pack(Id, _frames, 2, Lines + 1, hasEvents: false).Length;

    /// <summary>And back.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public void Unpack() => FramePacker.Unpack(Id, _packed, _frames);

    /// <summary>Batches of a stream of the hub, in MessagePack, with the length before each.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public int FrameInMessagePack()
    {
        var bytes = 0;
        Span<byte> prefix = stackalloc byte[HubFraming.MaxPrefix];
        var batch = new EventBatch(_frames, first: 2);
        do
        {
            using var writer = new MessagePackWriter(EventBatch.MaxBytes);
            batch.WriteTo(writer);
            bytes += writer.Written.Length + HubFraming.WritePrefix(prefix, writer.Written.Length);
        }
        while (batch.MoveNext());

        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _held?.Dispose();
        _registry.Dispose();
        GC.SuppressFinalize(this);
    }
}

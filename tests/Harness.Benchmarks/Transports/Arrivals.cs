using System.Buffers.Text;
using System.Diagnostics;
using System.Text;

namespace Harness.Benchmarks.Transports;

/// <summary>What has come to one client. All times are <see cref="Stopwatch"/>'s.</summary>
/// <param name="latency">Gets the age of each line; null: nothing is measured.</param>
internal sealed class Arrivals(LatencyCounts? latency)
{
    private const int IdLength = 36;
    private const int StampLength = 19;

    /// <summary>Age of the lines.</summary>
    public LatencyCounts? Latency => latency;

    /// <summary>When the newest bytes came.</summary>
    public long Now { get; set; }

    /// <summary>Lines so far.</summary>
    public long Lines { get; private set; }

    /// <summary>Sequence of the result; 0 before it.</summary>
    public long LastSequence { get; private set; }

    /// <summary>The id in the first message that has one.</summary>
    public string? Id { get; private set; }

    /// <summary>When the first line came.</summary>
    public long FirstLineAt { get; private set; }

    /// <summary>When the newest line came.</summary>
    public long LastLineAt { get; private set; }

    /// <summary>When the newest line was written, if ages are measured.</summary>
    public long LastWrittenAt { get; private set; }

    /// <summary>When the first message with an id came that is neither a line nor a result: the opening, or an answer; 0 before it.</summary>
    public long AnswerAt { get; private set; }

    /// <summary>When the result came.</summary>
    public long ResultAt { get; private set; }

    /// <summary>Forgets a run, for the next on the same socket.</summary>
    public void Reset() => (Lines, LastSequence, Id, FirstLineAt, LastLineAt, AnswerAt, ResultAt) = (0, 0, null, 0, 0, 0, 0);

    /// <summary>Forgets the answer, for the next.</summary>
    public void ResetAnswer() => AnswerAt = 0;

    /// <summary>Counts lines.</summary>
    /// <param name="count">How many.</param>
    /// <param name="beginning">The first of them, up to where its stamp must have come.</param>
    public void AddLines(int count, ReadOnlySpan<byte> beginning)
    {
        FirstLineAt = Lines == 0 ? Now : FirstLineAt;
        LastLineAt = Now;
        Lines += count;
        if (latency is not null && beginning.IndexOf("T="u8) is var at and >= 0
            && Utf8Parser.TryParse(beginning.Slice(at + 2, StampLength), out long written, out _))
        {
            LastWrittenAt = written / (1_000_000_000 / Stopwatch.Frequency);
            latency.Add((long)Stopwatch.GetElapsedTime(LastWrittenAt, Now).TotalMicroseconds);
        }
    }

    /// <summary>Notes the result.</summary>
    public void AddResult(long sequence) => (LastSequence, ResultAt) = (sequence, Now);

    /// <summary>Notes any other message.</summary>
    /// <param name="message">All of it.</param>
    /// <param name="idName">What stands before an id.</param>
    public void AddAnswer(ReadOnlySpan<byte> message, ReadOnlySpan<byte> idName)
    {
        if (message.IndexOf(idName) is var at and >= 0 && message.Length >= at + idName.Length + IdLength)
        {
            AnswerAt = AnswerAt == 0 ? Now : AnswerAt;
            Id ??= Encoding.ASCII.GetString(message.Slice(at + idName.Length, IdLength));
        }
    }
}

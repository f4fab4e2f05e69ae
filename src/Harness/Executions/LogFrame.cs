using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <summary>The parts of a <c>log</c> event's JSON, for readers that write it in another format. They are found by where they stand: nothing is parsed.</summary>
public readonly ref struct LogFrame
{
    /// <summary>The execution's id.</summary>
    public ReadOnlySpan<byte> Id { get; private init; }

    /// <summary>The line as a JSON string, in its quotes.</summary>
    public ReadOnlySpan<byte> Message { get; private init; }

    /// <summary>When it was written: ISO 8601, 24 characters.</summary>
    public ReadOnlySpan<byte> Timestamp { get; private init; }

    /// <summary>Finds them.</summary>
    /// <param name="json">The event as a log gave it; of other documents nothing can be known.</param>
    /// <param name="sequence">Its sequence.</param>
    /// <param name="frame">The parts.</param>
    /// <returns>False for other types of events.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryRead(ReadOnlySpan<byte> json, long sequence, out LogFrame frame)
    {
        frame = default;
        if (!json.StartsWith(FrameEncoder.LogBegin))
        {
            return false;
        }

        var rest = json[FrameEncoder.LogBegin.Length..^FrameEncoder.TailLength(sequence)];
        var idLength = rest.IndexOf((byte)'"');
        frame = new LogFrame
        {
            Id = rest[..idLength],
            Message = rest[(idLength + FrameEncoder.BeforeMessage.Length)..],
            Timestamp = FrameEncoder.TimestampOf(json),
        };
        return true;
    }
}

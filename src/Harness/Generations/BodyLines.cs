using System.Text;
using Harness.Agents;

namespace Harness.Generations;

/// <summary>
/// The lines of a body that comes bit by bit, without the empty ones. A line that does not end is an error of the call. For one thread at a
/// time.
/// </summary>
/// <param name="body">UTF-8; what is none becomes U+FFFD, a byte order mark is left out.</param>
/// <param name="call">Whose answer it is.</param>
/// <param name="maxLength">Characters of a line at most.</param>
internal sealed class BodyLines(Stream body, AgentCall call, int maxLength)
{
    private const int BytesAtATime = 4 * 1024;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly byte[] _bytes = new byte[BytesAtATime];
    private readonly char[] _letters = new char[Encoding.UTF8.GetMaxCharCount(BytesAtATime)];
    private readonly StringBuilder _line = new();
    private int _at;
    private int _end;

    /// <summary>The next line; null: there is none.</summary>
    /// <exception cref="AgentException">It is longer than the limit.</exception>
    public async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_at == _end)
            {
                var count = await body.ReadAsync(_bytes, cancellationToken);
                if (count == 0)
                {
                    return _line.Length > 0 ? Take() : null;
                }

                (_at, _end) = (0, _decoder.GetChars(_bytes.AsSpan(0, count), _letters, flush: false));
            }

            if (ReadOn() && _line.Length > 0)
            {
                return Take();
            }
        }
    }

    // To the end of the line, or of what has come; true when it was the line's.
    private bool ReadOn()
    {
        var rest = _letters.AsSpan(_at.._end);
        var length = rest.IndexOfAny('\r', '\n');
        var isWhole = length >= 0;
        length = isWhole ? length : rest.Length;
        if (_line.Length + length > maxLength)
        {
            throw call.TooLong(maxLength);
        }

        _line.Append(rest[..length]);
        _at += isWhole ? length + 1 : length;
        return isWhole;
    }

    private string Take()
    {
        var line = _line.ToString().TrimStart('\uFEFF');
        _line.Clear();
        return line;
    }
}

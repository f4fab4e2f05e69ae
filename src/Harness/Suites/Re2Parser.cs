using System.Text;

namespace Harness.Suites;

/// <summary>Translates RE2 syntax. Captures and greed do not matter to whether a text matches, so both are left out.</summary>
internal sealed class Re2Parser
{
    private const int MaxDepth = 1000;

    // Measured: an automaton of this many parts is made in well under a second.
    private const long MaxCost = 50_000;

    private readonly string _pattern;
    private readonly Re2Alphabet _alphabet;
    private readonly HashSet<string> _names = [];
    private Re2Flags _flags;
    private int _at;
    private int _depth;

    private Re2Parser(string pattern, Re2Alphabet alphabet) => (_pattern, _alphabet) = (pattern, alphabet);

    /// <param name="pattern">In RE2's syntax.</param>
    /// <param name="alphabet">Gets the sets, and fills the places they leave in the translation.</param>
    /// <exception cref="Re2SyntaxException">It is not RE2.</exception>
    public static string Translate(string pattern, Re2Alphabet alphabet)
    {
        var parser = new Re2Parser(pattern, alphabet);
        var whole = parser.ParseAlternatives();
        return parser._at == pattern.Length ? whole.Text : throw new Re2SyntaxException("unexpected )", pattern);
    }

    /// <summary>A translated part.</summary>
    /// <param name="Text">In .NET's syntax; can be repeated as it is.</param>
    /// <param name="Cost">Parts of the automaton it stands for.</param>
    /// <param name="Repeats">How often its innermost part is written out by the counted repetitions around it.</param>
    private readonly record struct Part(string Text, long Cost, int Repeats = 1);

    private Part ParseAlternatives()
    {
        var branches = new List<Part> { ParseSequence() };
        while (_at < _pattern.Length && _pattern[_at] == '|')
        {
            _at++;
            branches.Add(ParseSequence());
        }

        return Join(branches, "|");
    }

    private Part Join(List<Part> parts, string separator)
    {
        var cost = parts.Sum(part => part.Cost);
        var repeats = parts.Select(part => part.Repeats).DefaultIfEmpty(1).Max();
        return cost > MaxCost
            ? throw Re2SyntaxException.TooLarge(_pattern)
            : new Part($"(?:{string.Join(separator, parts.Select(part => part.Text))})", cost, repeats);
    }

    private Part ParseSequence()
    {
        var parts = new List<Part>();
        var repetition = (From: -1, To: -1);
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            var from = _at;
            if (Re2Repetition.TryRead(_pattern, ref _at) is { } repeat)
            {
                if (repetition.To == from)
                {
                    throw new Re2SyntaxException("invalid nested repetition operator", _pattern[repetition.From.._at]);
                }

                if (parts.Count == 0)
                {
                    throw new Re2SyntaxException("missing argument to repetition operator", _pattern[from.._at]);
                }

                parts[^1] = Repeat(parts[^1], repeat, _pattern[from.._at]);
                repetition = (from, _at);
            }
            else
            {
                ParseOne(parts);
            }
        }

        return Join(parts, "");
    }

    private static Part Repeat(Part part, Re2Repetition repeat, string written)
    {
        var copies = Math.Max(1, repeat.Copies);
        return repeat.IsValid && part.Repeats * copies <= Re2Repetition.MaxCount
            ? new Part($"(?:{part.Text}{repeat.Suffix})", part.Cost * copies, part.Repeats * copies)
            : throw new Re2SyntaxException("invalid repeat count", written);
    }

    private void ParseOne(List<Part> parts)
    {
        switch (_pattern[_at])
        {
            case '(':
                ParseGroup(parts);
                break;
            case '[':
                parts.Add(Set(new Re2Class(_pattern, _flags).Parse(ref _at)));
                break;
            case '.':
                _at++;
                parts.Add(Set(_flags.HasFlag(Re2Flags.DotAll) ? RuneSet.All : RuneSet.OfRune('\n', foldCase: false).Complement()));
                break;
            case '^':
                _at++;
                parts.Add(new Part(_flags.HasFlag(Re2Flags.Lines) ? "(?m:^)" : "(?:\\A)", 1));
                break;
            case '$':
                _at++;
                parts.Add(new Part(_flags.HasFlag(Re2Flags.Lines) ? "(?m:$)" : "(?:\\z)", 1));
                break;
            case '\\':
                ParseEscape(parts);
                break;
            default:
                var rune = Rune.TryGetRuneAt(_pattern, _at, out var read) ? read : Rune.ReplacementChar;
                _at += rune.Utf16SequenceLength;
                parts.Add(Literal(rune.Value));
                break;
        }
    }

    private void ParseEscape(List<Part> parts)
    {
        var next = _at + 1 < _pattern.Length ? _pattern[_at + 1] : '\0';
        switch (next)
        {
            case 'A' or 'z' or 'b' or 'B':
                parts.Add(new Part($"(?:\\{next})", 1));
                _at += 2;
                break;
            case 'Q':
                var end = _pattern.IndexOf("\\E", _at + 2, StringComparison.Ordinal);
                var quoted = _pattern[(_at + 2)..(end < 0 ? _pattern.Length : end)];
                parts.AddRange(quoted.EnumerateRunes().Select(rune => Literal(rune.Value)));
                _at = end < 0 ? _pattern.Length : end + 2;
                break;
            default:
                var escapes = new Re2Class(_pattern, _flags);
                parts.Add(escapes.TryParseSetEscape(ref _at) is { } set ? Set(set) : Literal(escapes.ParseCharacterEscape(ref _at)));
                break;
        }
    }

    private void ParseGroup(List<Part> parts)
    {
        if (++_depth > MaxDepth)
        {
            throw new Re2SyntaxException("expression nests too deeply", _pattern);
        }

        var before = _flags;
        _at++;
        if (_at < _pattern.Length && _pattern[_at] == '?')
        {
            var opens = new Re2Group(_pattern, _names).Parse(ref _at, ref _flags);
            if (!opens)
            {
                // Flags alone hold to the end of the group they stand in.
                _depth--;
                return;
            }
        }

        var inner = ParseAlternatives();
        if (_at == _pattern.Length)
        {
            throw new Re2SyntaxException("missing closing )", _pattern);
        }

        _at++;
        _depth--;
        _flags = before;
        parts.Add(inner);
    }

    private Part Literal(int rune) => Set(RuneSet.OfRune(rune, _flags.HasFlag(Re2Flags.FoldCase)));

    private Part Set(RuneSet set) => new(_alphabet.Add(set), 1);
}

namespace Harness.Suites;

/// <summary>Reads what follows <c>(?</c>: a name, or flags.</summary>
internal sealed class Re2Group(string pattern, HashSet<string> names)
{
    /// <summary>From the question mark on. True when a group is open now, false when flags have been set and closed.</summary>
    public bool Parse(ref int at, ref Re2Flags flags)
    {
        var from = at - 1;
        var rest = pattern.AsSpan(at);
        if (rest.StartsWith("?P<") || rest.StartsWith("?<"))
        {
            ParseName(ref at, from);
            return true;
        }

        at++;
        var (isOn, hasFlag) = (true, false);
        while (at < pattern.Length)
        {
            var letter = pattern[at++];
            if (letter is ':' or ')' && (isOn || hasFlag))
            {
                return letter == ':';
            }

            if (letter == '-' && isOn)
            {
                (isOn, hasFlag) = (false, false);
                continue;
            }

            if (FlagOf(letter) is not { } flag)
            {
                throw new Re2SyntaxException("invalid or unsupported Perl syntax", pattern[from..at]);
            }

            hasFlag = true;
            flags = isOn ? flags | flag : flags & ~flag;
        }

        throw new Re2SyntaxException("missing closing )", pattern);
    }

    private static Re2Flags? FlagOf(char letter) => letter switch
    {
        'i' => Re2Flags.FoldCase,
        'm' => Re2Flags.Lines,
        's' => Re2Flags.DotAll,
        'U' => Re2Flags.None,
        _ => null,
    };

    private void ParseName(ref int at, int from)
    {
        var open = pattern.IndexOf('<', at);
        var close = pattern.IndexOf('>', open);
        if (close < 0)
        {
            throw new Re2SyntaxException("invalid named capture", pattern[from..]);
        }

        var name = pattern[(open + 1)..close];
        if (name.Length == 0 || name.Any(letter => letter != '_' && !char.IsAsciiLetterOrDigit(letter)))
        {
            throw new Re2SyntaxException("invalid named capture", pattern[from..(close + 1)]);
        }

        if (!names.Add(name))
        {
            throw new Re2SyntaxException("invalid named capture", name);
        }

        at = close + 1;
    }
}

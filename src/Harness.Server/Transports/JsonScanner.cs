namespace Harness.Server.Transports;

/// <summary>Walks over one JSON value and stops at the first byte that cannot be there.</summary>
internal ref partial struct JsonScanner(ReadOnlySpan<byte> json)
{
    private readonly ReadOnlySpan<byte> _json = json;

    /// <summary>Bytes read so far; the byte that cannot be there is the next one.</summary>
    public int Position { get; private set; }

    /// <summary>What cannot be there; null when nothing is wrong so far.</summary>
    public string? Problem { get; private set; }

    /// <summary>The input ended inside the value. <see cref="Problem"/> may say more.</summary>
    public bool IsCutShort { get; private set; }

    private readonly bool AtEnd => Position == _json.Length;

    private readonly bool CanGoOn => Problem is null && !IsCutShort;

    private enum Expected
    {
        Value,
        FirstElement,
        Key,
        FirstKey,
        Colon,
        Separator,
    }

    /// <summary>Reads white space and one value; stops right behind it.</summary>
    public void ReadValue()
    {
        Span<bool> isObject = stackalloc bool[JsonSyntax.MaxDepth];
        var depth = 0;
        var expected = Expected.Value;
        do
        {
            SkipSpace();
            if (AtEnd)
            {
                IsCutShort = true;
                return;
            }

            var next = _json[Position];
            var closes = expected switch
            {
                Expected.FirstElement => next == ']',
                Expected.FirstKey => next == '}',
                Expected.Separator => next == (isObject[depth - 1] ? '}' : ']'),
                _ => false,
            };
            if (closes)
            {
                Position++;
                depth--;
                expected = Expected.Separator;
            }
            else if (expected is Expected.Value or Expected.FirstElement && next is (byte)'{' or (byte)'[')
            {
                if (depth == JsonSyntax.MaxDepth)
                {
                    Refuse($"exceeded max depth of {JsonSyntax.MaxDepth}");
                    return;
                }

                Position++;
                isObject[depth++] = next == '{';
                expected = next == '{' ? Expected.FirstKey : Expected.FirstElement;
            }
            else
            {
                expected = ReadPart(expected, next, depth > 0 && isObject[depth - 1]);
            }
        }
        while (CanGoOn && (depth > 0 || expected != Expected.Separator));
    }

    /// <summary>Reads white space up to the end of the input; anything else is a problem.</summary>
    public void ReadEnd()
    {
        SkipSpace();
        if (!AtEnd)
        {
            Refuse("after top-level value");
        }
    }

    private Expected ReadPart(Expected expected, byte next, bool inObject)
    {
        switch (expected)
        {
            case Expected.Key or Expected.FirstKey:
                ReadKey(next);
                return Expected.Colon;
            case Expected.Colon:
                Take(next == ':', "after object key");
                return Expected.Value;
            case Expected.Separator:
                Take(next == ',', inObject ? "after object key:value pair" : "after array element");
                return inObject ? Expected.Key : Expected.Value;
            default:
                ReadScalar(next);
                return Expected.Separator;
        }
    }

    private void ReadKey(byte next)
    {
        if (next == '"')
        {
            ReadString();
        }
        else
        {
            Refuse("looking for beginning of object key string");
        }
    }

    private void SkipSpace()
    {
        var length = _json[Position..].IndexOfAnyExcept(" \t\r\n"u8);
        Position = length < 0 ? _json.Length : Position + length;
    }

    private readonly bool NextIs(byte wanted) => !AtEnd && _json[Position] == wanted;

    private void Take(bool isRight, string place)
    {
        if (isRight)
        {
            Position++;
        }
        else
        {
            Refuse(place);
        }
    }

    // At the end of the input the seed's server speaks of a space that is not there.
    private void Refuse(string place)
    {
        IsCutShort = AtEnd;
        Problem = $"invalid character {Quote(AtEnd ? (byte)' ' : _json[Position])} {place}";
    }

    /// <summary>A byte between quotes as Go prints a rune of that value.</summary>
    private static string Quote(byte value) => value switch
    {
        (byte)'\'' => @"'\''",
        (byte)'\\' => @"'\\'",
        0x07 => @"'\a'",
        0x08 => @"'\b'",
        0x0C => @"'\f'",
        (byte)'\n' => @"'\n'",
        (byte)'\r' => @"'\r'",
        (byte)'\t' => @"'\t'",
        0x0B => @"'\v'",
        < 0x20 or 0x7F => $@"'\x{value:x2}'",
        (>= 0x80 and <= 0xA0) or 0xAD => $@"'\u{value:x4}'",
        _ => $"'{(char)value}'",
    };
}

using System.Buffers;

namespace Harness.Server.Transports;

/// <content>Strings, numbers and the three words.</content>
internal ref partial struct JsonScanner
{
    private static readonly SearchValues<byte> EndsPlainText = SearchValues.Create(
        [(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(code => (byte)code)]);

    private void ReadScalar(byte next)
    {
        switch (next)
        {
            case (byte)'"':
                ReadString();
                break;
            case (byte)'t':
                ReadWord("true");
                break;
            case (byte)'f':
                ReadWord("false");
                break;
            case (byte)'n':
                ReadWord("null");
                break;
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                ReadNumber();
                break;
            default:
                Refuse("looking for beginning of value");
                break;
        }
    }

    private void ReadWord(string word)
    {
        Position++;
        foreach (var letter in word.AsSpan(1))
        {
            if (!NextIs((byte)letter))
            {
                Refuse($"in literal {word} (expecting '{letter}')");
                return;
            }

            Position++;
        }
    }

    private void ReadNumber()
    {
        if (NextIs((byte)'-'))
        {
            Position++;
        }

        if (NextIs((byte)'0'))
        {
            Position++;
        }
        else
        {
            ReadDigits("in numeric literal");
        }

        if (CanGoOn && NextIs((byte)'.'))
        {
            Position++;
            ReadDigits("after decimal point in numeric literal");
        }

        if (CanGoOn && (NextIs((byte)'e') || NextIs((byte)'E')))
        {
            Position++;
            if (NextIs((byte)'+') || NextIs((byte)'-'))
            {
                Position++;
            }

            ReadDigits("in exponent of numeric literal");
        }
    }

    private void ReadDigits(string place)
    {
        if (AtEnd || !char.IsAsciiDigit((char)_json[Position]))
        {
            Refuse(place);
            return;
        }

        var rest = _json[Position..];
        var length = rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        Position += length < 0 ? rest.Length : length;
    }

    private void ReadString()
    {
        Position++;
        while (CanGoOn)
        {
            var length = _json[Position..].IndexOfAny(EndsPlainText);
            if (length < 0)
            {
                Position = _json.Length;
                IsCutShort = true;
                return;
            }

            Position += length;
            switch (_json[Position])
            {
                case (byte)'"':
                    Position++;
                    return;
                case (byte)'\\':
                    ReadEscape();
                    break;
                default:
                    Refuse("in string literal");
                    break;
            }
        }
    }

    private void ReadEscape()
    {
        Position++;
        var isUnicode = NextIs((byte)'u');
        Take(!AtEnd && "\"\\/bfnrtu"u8.Contains(_json[Position]), "in string escape code");
        for (var digit = 0; isUnicode && CanGoOn && digit < 4; digit++)
        {
            Take(!AtEnd && char.IsAsciiHexDigit((char)_json[Position]), "in \\u hexadecimal character escape");
        }
    }
}

namespace Harness.Server.Transports;

/// <summary>
/// Says what is wrong with a client's JSON in the words clients of the seed already know (compat/voiceflow 1.3 and 1.4, which are those
/// of Go's <c>encoding/json</c>). Linear in the input, free of recursion, and never throws.
/// </summary>
internal static class JsonSyntax
{
    /// <summary>Deepest nesting of objects and arrays that is read. Suites need about ten; the rest is room for variables.</summary>
    public const int MaxDepth = 128;

    /// <summary>What is wrong with a message that has to be exactly one JSON value; null when it is one.</summary>
    public static string? Describe(ReadOnlySpan<byte> message)
    {
        var scanner = new JsonScanner(message);
        scanner.ReadValue();
        if (scanner.Problem is null && !scanner.IsCutShort)
        {
            scanner.ReadEnd();
        }

        return scanner.Problem ?? (scanner.IsCutShort ? "unexpected end of JSON input" : null);
    }

    /// <summary>What is wrong with the first JSON value of a stream, whatever follows it; null when it is whole.</summary>
    /// <param name="stream">All there is; leading white space belongs to the value.</param>
    /// <param name="length">Bytes from the start to the end of the value; 0 when something is wrong.</param>
    public static string? DescribeFirst(ReadOnlySpan<byte> stream, out int length)
    {
        var scanner = new JsonScanner(stream);
        scanner.ReadValue();
        length = 0;
        if (scanner.IsCutShort)
        {
            return stream.IndexOfAnyExcept(" \t\r\n"u8) < 0 ? "EOF" : "unexpected EOF";
        }

        if (scanner.Problem is null)
        {
            length = scanner.Position;
        }

        return scanner.Problem;
    }
}

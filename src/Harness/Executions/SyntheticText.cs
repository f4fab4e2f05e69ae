using System.Globalization;
using System.Text;

namespace Harness.Executions;

/// <summary>
/// Lines that say about what lines of runs say: sentences that come again with other words, names and numbers in them. Who stores or compresses
/// them has about the work of real ones: compressed they are about a third of themselves. The same in every process. Thread-safe.
/// </summary>
internal static class SyntheticText
{
    /// <summary>What each line begins with, before its text: a stamp of zeros.</summary>
    public const string Stamp = "T=0000000000000000000";

    // More than compressors look back, as nothing real comes again so exactly.
    private const int TextBytes = 192 * 1024;

    private static Block? _last;

    /// <summary>Lines of one size, one after another; at least one. Those who ask for the size that was asked for last share
    /// them: they are not to be changed.</summary>
    /// <param name="size">Bytes of each line, at least those of <see cref="Stamp"/>.</param>
    public static byte[] Lines(int size)
    {
        var last = Volatile.Read(ref _last);
        if (last?.Size != size)
        {
            last = new Block(size, Write(size));
            Volatile.Write(ref _last, last);
        }

        return last.Lines;
    }

    private static byte[] Write(int size)
    {
        var text = Source.Text.AsSpan();
        var lines = new byte[size * Math.Max(1, TextBytes / size)];
        var rest = text;
        for (var start = 0; start < lines.Length; start += size)
        {
            var line = lines.AsSpan(start, size);
            Encoding.ASCII.GetBytes(Stamp, line);
            line = line[Stamp.Length..];
            rest = rest.Length < line.Length ? text : rest;
            rest[..line.Length].CopyTo(line);
            rest = rest[line.Length..];
        }

        return lines;
    }

    private sealed record Block(int Size, byte[] Lines);

    // Written when it is first needed.
    private static class Source
    {
        public static readonly byte[] Text = Write();

        private static byte[] Write()
        {
            var random = new Random(11);
            string[] syllables = ["an", "be", "cor", "da", "en", "fi", "go", "hal", "in", "jo", "ka", "lu", "mer", "no", "or", "pi", "qua", "re", "sto", "tu", "ver", "wi", "ya", "ze"];
            var words = new string[1500];
            for (var i = 0; i < words.Length; i++)
            {
                words[i] = string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => syllables[random.Next(syllables.Length)]));
            }

            var text = new StringBuilder();
            while (text.Length < TextBytes)
            {
                _ = random.Next(8) switch
                {
                    0 => text.Append(CultureInfo.InvariantCulture, $" Running Test ID: {Word()}-{Word()}"),
                    1 => text.Append(CultureInfo.InvariantCulture, $" Interaction ID: {Word()}"),
                    2 => text.Append(CultureInfo.InvariantCulture, $" Validation type: contains PASSED with value: {Word()}"),
                    3 => text.Append(CultureInfo.InvariantCulture, $" User ID for test {Word()}: test-{random.NextInt64():x16}"),
                    4 => text.Append(CultureInfo.InvariantCulture, $" The tool {Word()} answered in {random.Next(1000)} ms"),
                    5 => text.Append(CultureInfo.InvariantCulture, $" All validations passed for Interaction ID: {Word()}"),
                    _ => text.Append(CultureInfo.InvariantCulture, $" Interaction Response Message: {string.Join(' ', Enumerable.Range(0, random.Next(6, 16)).Select(_ => Word()))}."),
                };
            }

            return Encoding.ASCII.GetBytes(text.ToString(0, TextBytes));

            // Some are said far more often than others, as in any language.
            string Word() => words[(int)(words.Length * Math.Pow(random.NextDouble(), 3))];
        }
    }
}

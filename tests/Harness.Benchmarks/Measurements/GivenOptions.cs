using System.Globalization;

namespace Harness.Benchmarks.Measurements;

/// <summary>The options behind a command of this program, each with a value unless it is a flag.</summary>
internal sealed class GivenOptions
{
    private readonly Dictionary<string, string> _given = [];

    /// <summary>Reads them. <c>--help</c> is always one.</summary>
    /// <param name="args">What was written behind the command.</param>
    /// <param name="names">Those that take a value.</param>
    /// <param name="flags">Those that take none.</param>
    /// <exception cref="OptionException">One is not known, or has no value.</exception>
    public GivenOptions(IReadOnlyList<string> args, string[] names, params string[] flags)
    {
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] == "--help" || flags.Contains(args[i]))
            {
                _given[args[i]] = "";
            }
            else if (names.Contains(args[i]) && i + 1 < args.Count)
            {
                _given[args[i]] = args[++i];
            }
            else
            {
                throw new OptionException($"'{args[i]}' is not an option or has no value; --help tells them.");
            }
        }
    }

    public bool WantsHelp => Has("--help");

    public bool Has(string flag) => _given.ContainsKey(flag);

    public string? Value(string name) => _given.GetValueOrDefault(name);

    /// <summary>What <c>--rounds</c> says.</summary>
    /// <exception cref="OptionException">It is no number from 1.</exception>
    public int Rounds(int usual) => Value("--rounds") is not { } text
        ? usual
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds > 0
            ? rounds
            : throw new OptionException("--rounds must be a number from 1.");
}

/// <summary>Something in the command line that is none of its words; the message says what to write.</summary>
internal sealed class OptionException(string message) : Exception(message);

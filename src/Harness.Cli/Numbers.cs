using System.CommandLine.Parsing;
using System.Globalization;

namespace Harness.Cli;

/// <summary>Whole numbers on the command line, with an error that says what they may be.</summary>
internal static class Numbers
{
    public static int? Parse(ArgumentResult result, int least, int most)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
        {
            return number;
        }

        var name = (result.Parent as OptionResult)?.Option.Name;
        result.AddError($"{name} takes a whole number from {least} to {most} (not '{text}').");
        return null;
    }
}

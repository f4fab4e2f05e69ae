using Spectre.Console;

namespace Harness.Cli;

/// <summary>Standard output, as far as its being a terminal or not makes a difference.</summary>
internal static class Terminal
{
    /// <summary>Columns of a table that goes into a file or a pipe, where there is no window to fit into.</summary>
    private const int PlainWidth = 160;

    /// <summary>False when output goes elsewhere.</summary>
    public static bool IsThere { get; } = !Console.IsOutputRedirected;

    // Colours are all that NO_COLOR takes away: a terminal has its width and its progress bar without them.
    private static readonly bool HasColors = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    public static IAnsiConsole CreateConsole(TextWriter output, bool isTerminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal && HasColors ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        if (!isTerminal)
        {
            console.Profile.Width = PlainWidth;
        }

        return console;
    }

    /// <summary>What an agent or another person says must not move the cursor or recolour the terminal of who reads it.</summary>
    public static string Printable(string text) => string.Create(text.Length, text, (result, source) =>
    {
        for (var index = 0; index < source.Length; index++)
        {
            result[index] = char.IsControl(source[index]) && source[index] is not ('\n' or '\t') ? '\uFFFD' : source[index];
        }
    });
}

using System.Globalization;
using Harness.Suites;
using Spectre.Console;

namespace Harness.Cli.Runs;

/// <summary>What a person sees of a run: its lines as they come, a progress bar on a terminal, and a table at the end.</summary>
internal sealed class RunView
{
    /// <summary>Columns of a table that goes into a file or a pipe, where there is no window to fit into.</summary>
    private const int PlainWidth = 160;

    private readonly IAnsiConsole _console;
    private readonly TextWriter _output;
    private readonly bool _isTerminal;
    private readonly bool _verbose;

    private RunView(TextWriter output, bool isTerminal, bool verbose)
    {
        (_output, _isTerminal, _verbose) = (output, isTerminal, verbose);
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        if (!isTerminal)
        {
            _console.Profile.Width = PlainWidth;
        }
    }

    /// <summary>A view on standard output; plain when that is no terminal, or when <c>NO_COLOR</c> is set.</summary>
    public static RunView OnConsole(bool verbose)
    {
        var isPlain = Console.IsOutputRedirected || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        return new RunView(Console.Out, !isPlain, verbose);
    }

    /// <summary>Shows the events as they come.</summary>
    /// <param name="suite">Its name.</param>
    /// <param name="interactions">How many interactions it has: the length of the progress bar.</param>
    /// <param name="run">The run.</param>
    /// <param name="onLine">Gets every log line, for reports.</param>
    /// <param name="cancellationToken">Ends the watching.</param>
    /// <returns>The <c>data</c> of the result.</returns>
    public async Task<RunEvent> WatchAsync(
        string suite, int interactions, ISuiteRun run, Action<string> onLine, CancellationToken cancellationToken)
    {
        if (!_isTerminal)
        {
            return await ShowAsync(run, onLine, progress: null, cancellationToken);
        }

        return await _console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context => ShowAsync(
                run, onLine, context.AddTask(Markup.Escape(Printable(suite)), maxValue: Math.Max(interactions, 1)), cancellationToken));
    }

    /// <summary>Shows how every test ended, and a line with the counts.</summary>
    public void ShowReport(RunReport report)
    {
        if (report.Details.Tests.Count > 0)
        {
            _output.WriteLine();
            _console.Write(CreateTable(report.Details.Tests));
        }

        if (report.Details.Truncated)
        {
            WriteLine("(the result would have been too large: it leaves out details of some tests)", new Style(Color.Yellow));
        }

        var counts = report.Details.Summary;
        var color = report.ExitCode == ExitCode.Passed ? Color.Green : Color.Red;
        WriteLine(
            $"{report.Status}: {counts.Passed} passed, {counts.Failed} failed, {counts.Skipped} not run, {Seconds(report.Duration)} s",
            new Style(color, decoration: Decoration.Bold));
        if (report.Error is { } error)
        {
            WriteLine(error, new Style(color));
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Printable(string text) => string.Create(text.Length, text, (result, source) =>
    {
        // What an agent says must not move the cursor or recolour the terminal of who tests it.
        for (var index = 0; index < source.Length; index++)
        {
            result[index] = char.IsControl(source[index]) && source[index] is not ('\n' or '\t') ? '\uFFFD' : source[index];
        }
    });

    private static Style StyleOf(string line) => line switch
    {
        _ when line.StartsWith("Running Test ID:", StringComparison.Ordinal) => new Style(decoration: Decoration.Bold),
        _ when line.StartsWith("Error ", StringComparison.Ordinal) => new Style(Color.Red),
        _ when line.Contains(" FAILED", StringComparison.Ordinal) => new Style(Color.Red),
        _ when line.Contains(" PASSED ", StringComparison.Ordinal) => new Style(Color.Green),
        _ when line.StartsWith("All validations passed", StringComparison.Ordinal) => new Style(Color.Green),
        _ when line.StartsWith("Interaction Re", StringComparison.Ordinal) => Style.Plain,
        _ => new Style(Color.Grey),
    };

    private async Task<RunEvent> ShowAsync(
        ISuiteRun run, Action<string> onLine, ProgressTask? progress, CancellationToken cancellationToken)
    {
        await foreach (var next in run.ReadAsync(cancellationToken))
        {
            switch (next.Type)
            {
                case "log":
                    onLine(next.Message);
                    WriteLine(_verbose && next.Time is { } time ? $"{time:HH:mm:ss.fff} {next.Message}" : next.Message, StyleOf(next.Message));
                    if (next.Message.StartsWith("Interaction ID:", StringComparison.Ordinal))
                    {
                        progress?.Increment(1);
                    }

                    break;
                case "status" when _verbose:
                    WriteLine($"Execution {next.Id} {run.Place}: {next.Data.Text("status")}", Style.Plain);
                    break;
                case "truncated":
                    WriteLine("(some lines are no longer kept and cannot be shown)", new Style(Color.Yellow));
                    break;
                case "result":
                    return next;
                default:
                    break;
            }
        }

        throw new RunException("The run ended without a result.");
    }

    private void WriteLine(string text, Style style)
    {
        if (_isTerminal)
        {
            _console.Write(new Text(Printable(text) + Environment.NewLine, style));
        }
        else
        {
            _output.WriteLine(Printable(text));
        }
    }

    private Table CreateTable(IReadOnlyList<TestReport> tests)
    {
        var table = new Table { Border = _isTerminal ? TableBorder.Rounded : TableBorder.Ascii };
        table.AddColumn("Outcome");
        table.AddColumn("Test");
        table.AddColumn(new TableColumn("Interactions").RightAligned());
        table.AddColumn(new TableColumn("Seconds").RightAligned());
        table.AddColumn("First error");
        foreach (var test in tests)
        {
            var (outcome, color) = test.Outcome switch
            {
                SuiteOutcome.Passed => ("passed", Color.Green),
                SuiteOutcome.Failed => ("failed", Color.Red),
                _ => ("not run", Color.Grey),
            };
            var begun = test.Interactions.Count(interaction => interaction.Outcome != SuiteOutcome.Skipped);
            table.AddRow(
                new Text(outcome, new Style(color)),
                new Text(Printable(RunReport.TitleOf(test))),
                new Text(begun.ToString(CultureInfo.InvariantCulture)),
                new Text(Seconds(TimeSpan.FromMilliseconds(test.DurationMs))),
                new Text(Printable(test.Error ?? "")));
        }

        return table;
    }
}

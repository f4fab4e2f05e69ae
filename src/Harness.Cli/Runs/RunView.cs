using System.Globalization;
using System.Text.Json;
using Harness.Cli.Hub;
using Harness.Suites;
using Spectre.Console;

namespace Harness.Cli.Runs;

/// <summary>What a person sees of a run: its lines as they come, a progress bar on a terminal, and a table at the end.</summary>
internal sealed class RunView
{
    private readonly IAnsiConsole _console;
    private readonly TextWriter _output;
    private readonly bool _isTerminal;
    private readonly bool _verbose;

    private RunView(TextWriter output, bool isTerminal, bool verbose)
    {
        (_output, _isTerminal, _verbose) = (output, isTerminal, verbose);
        _console = Terminal.CreateConsole(output, isTerminal);
    }

    /// <summary>A view on standard output; plain when that is no terminal.</summary>
    public static RunView OnConsole(bool verbose) => new(Console.Out, Terminal.IsThere, verbose);

    /// <summary>Shows the events as they come.</summary>
    /// <param name="suite">Its name.</param>
    /// <param name="interactions">How many interactions it has: the length of the progress bar; 0 for none.</param>
    /// <param name="run">The run.</param>
    /// <param name="onLine">Gets every log line, for reports.</param>
    /// <param name="cancellationToken">Ends the watching.</param>
    /// <returns>The <c>data</c> of the result.</returns>
    public async Task<HubEvent> WatchAsync(
        string suite, int interactions, ISuiteRun run, Action<string> onLine, CancellationToken cancellationToken)
    {
        if (!_isTerminal || interactions == 0)
        {
            return await ShowAsync(run, onLine, progress: null, cancellationToken);
        }

        return await _console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(context => ShowAsync(
                run, onLine, context.AddTask(Markup.Escape(Terminal.Printable(suite)), maxValue: interactions), cancellationToken));
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
        var tests = counts.Tests > 0 ? $"{counts.Passed} passed, {counts.Failed} failed, {counts.Skipped} not run, " : "";
        WriteLine($"{report.Status}: {tests}{Seconds(report.Duration)} s", new Style(color, decoration: Decoration.Bold));
        if (report.Error is { } error)
        {
            WriteLine(error, new Style(color));
        }

        if (report.Document.Text("cancel_reason") is { } reason)
        {
            WriteLine("Reason: " + reason, new Style(color));
        }
    }

    /// <summary>Shows what the execution gave, if it gave something: a workflow its output, an agent its object or its words.</summary>
    public void ShowOutput(JsonElement data)
    {
        if (data.TryGetProperty("output", out var output) || data.TryGetProperty("object", out output))
        {
            WriteLine(output.GetRawText(), Style.Plain);
        }
        else if (data.Text("text") is { } text)
        {
            WriteLine(text, Style.Plain);
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);

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

    private async Task<HubEvent> ShowAsync(
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
                case "status" when next.IsSuspension:
                    WriteSuspension(next, run);
                    break;
                case "status" when _verbose:
                    WriteLine($"Execution {next.Id} {run.Place}: {next.Data.Text("status")}", Style.Plain);
                    break;
                case "truncated":
                    WriteLine(
                        $"(events {next.Json.Whole("from")} to {next.Json.Whole("to")} are no longer kept and cannot be shown)", new Style(Color.Yellow));
                    break;
                case HubEvent.NoticeType:
                    WriteNotice(next.Message);
                    break;
                case "result":
                    return next;
                default:
                    break;
            }
        }

        throw new RunException("The run ended without a result.");
    }

    private void WriteSuspension(HubEvent next, ISuiteRun run)
    {
        var reason = next.Data.TryGetProperty("suspension", out var suspension) && suspension.Text("reason") is { } text ? $": {text}" : "";
        WriteNotice($"Suspended{reason}. {run.ToResume(next.Id ?? "ID")}");
    }

    /// <summary>What is not said by the run: in a pipe it must not stand among the lines.</summary>
    private void WriteNotice(string text)
    {
        if (_isTerminal)
        {
            WriteLine($"({text})", new Style(Color.Yellow));
        }
        else
        {
            Console.Error.WriteLine(Terminal.Printable(text));
        }
    }

    private void WriteLine(string text, Style style)
    {
        if (_isTerminal)
        {
            _console.Write(new Text(Terminal.Printable(text) + Environment.NewLine, style));
        }
        else
        {
            _output.WriteLine(Terminal.Printable(text));
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
                new Text(Terminal.Printable(RunReport.TitleOf(test))),
                new Text(begun.ToString(CultureInfo.InvariantCulture)),
                new Text(Seconds(TimeSpan.FromMilliseconds(test.DurationMs))),
                new Text(Terminal.Printable(test.Error ?? "")));
        }

        return table;
    }
}

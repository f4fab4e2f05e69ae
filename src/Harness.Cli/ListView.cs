using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Harness.Cli;

/// <summary>What a person sees of a list: a table, in colour on a terminal, and two lines for each where a table does not fit.</summary>
internal sealed class ListView
{
    // An id must be there to be copied, and a table around it needs this many columns.
    private const int LeastForTable = 100;

    private static readonly string[] Heads = ["Id", "Status", "Kind", "Started", "Events", "Name", "Labels"];

    private readonly IAnsiConsole _console;
    private readonly TableBorder _border;
    private readonly List<Row> _rows = [];

    private ListView(TextWriter output, bool isTerminal)
    {
        _console = Terminal.CreateConsole(output, isTerminal);
        _border = isTerminal ? TableBorder.Rounded : TableBorder.Ascii;
    }

    public static ListView OnConsole() => new(Console.Out, Terminal.IsThere);

    public void Add(JsonElement item) => _rows.Add(new Row(
        item.Text("id") ?? "",
        item.Text("status") ?? "",
        item.Text("kind") ?? "",
        item.Time("started_at")?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "",
        item.Whole("seq")?.ToString(CultureInfo.InvariantCulture) ?? "",
        item.Text("name") ?? "",
        LabelsOf(item)));

    public void Show()
    {
        if (_rows.Count == 0)
        {
            _console.WriteLine("No executions.");
        }
        else if (_console.Profile.Width >= LeastForTable)
        {
            _console.Write(TableOf(_rows));
        }
        else
        {
            _rows.ForEach(ShowInTwoLines);
        }
    }

    private Table TableOf(IEnumerable<Row> rows)
    {
        var table = new Table { Border = _border };
        foreach (var head in Heads)
        {
            var column = new TableColumn(head);
            table.AddColumn(head is "Id" or "Status" or "Started" ? column.NoWrap() : head is "Events" ? column.RightAligned() : column);
        }

        foreach (var row in rows)
        {
            table.AddRow(
                CellOf(row.Id), new Text(row.Status, StyleOf(row)), CellOf(row.Kind), CellOf(row.Started), CellOf(row.Events), CellOf(row.Name), CellOf(row.Labels));
        }

        return table;
    }

    private void ShowInTwoLines(Row row)
    {
        _console.Write(new Paragraph(Terminal.Printable(row.Id) + "  ").Append(row.Status, StyleOf(row)).Append($"  {row.Started}\n"));
        var rest = new[] { row.Kind, $"{row.Events} events", row.Name, row.Labels }.Where(text => text.Length > 0);
        _console.Write(CellOf($"  {string.Join(", ", rest)}\n"));
    }

    private static Style StyleOf(Row row) => new(ColorOf(row.Status));

    private static Text CellOf(string text) => new(Terminal.Printable(text));

    private static string LabelsOf(JsonElement item) =>
        item.TryGetProperty("labels", out var labels) && labels.ValueKind == JsonValueKind.Object
            ? string.Join(' ', labels.EnumerateObject().Select(label => $"{label.Name}={label.Value}"))
            : "";

    private static Color ColorOf(string status) => status switch
    {
        "completed" => Color.Green,
        "failed" => Color.Red,
        "cancelled" => Color.Yellow,
        "running" => Color.Blue,
        _ => Color.Grey,
    };

    private sealed record Row(string Id, string Status, string Kind, string Started, string Events, string Name, string Labels);
}

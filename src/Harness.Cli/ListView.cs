using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Harness.Cli;

/// <summary>What a person sees of a list: a table, in colour on a terminal.</summary>
internal sealed class ListView
{
    private readonly IAnsiConsole _console;
    private readonly Table _table = new();

    private ListView(TextWriter output, bool isTerminal)
    {
        _console = Terminal.CreateConsole(output, isTerminal);
        _table.Border = isTerminal ? TableBorder.Rounded : TableBorder.Ascii;
        _table.AddColumn(new TableColumn("Id").NoWrap());
        _table.AddColumn(new TableColumn("Status").NoWrap());
        _table.AddColumn("Kind");
        _table.AddColumn(new TableColumn("Started").NoWrap());
        _table.AddColumn(new TableColumn("Events").RightAligned());
        _table.AddColumn("Name");
        _table.AddColumn("Labels");
    }

    public static ListView OnConsole() => new(Console.Out, Terminal.IsThere);

    public void Add(JsonElement item)
    {
        var status = item.Text("status") ?? "";
        _table.AddRow(
            CellOf(item.Text("id")),
            new Text(status, new Style(ColorOf(status))),
            CellOf(item.Text("kind")),
            CellOf(item.Time("started_at")?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)),
            CellOf(item.Whole("seq")?.ToString(CultureInfo.InvariantCulture)),
            CellOf(item.Text("name")),
            CellOf(LabelsOf(item)));
    }

    public void Show()
    {
        if (_table.Rows.Count == 0)
        {
            _console.WriteLine("No executions.");
        }
        else
        {
            _console.Write(_table);
        }
    }

    private static Text CellOf(string? text) => new(Terminal.Printable(text ?? ""));

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
}

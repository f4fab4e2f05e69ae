using System.Globalization;
using System.Xml.Linq;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// What was found, as a picture (SVG): a panel for each measurement, a line for each contender, on a logarithmic axis. One thing drawn is a bar
/// to its median, two (such as p50 and p99) are a bar from the one to the other; thin lines reach from the least to the most of all rounds. Those that
/// did less than was asked of them have no bar, and it says how much they did.
/// </summary>
internal sealed class Plot(Report report)
{
    private const int PanelWidth = 560;
    private const int PanelsAbreast = 2;
    private const int NameWidth = 260;
    private const int AxisWidth = 200;
    private const int MostTicks = 5;
    private const int LineHeight = 16;
    private const int HeadHeight = 44;
    private const int FootHeight = 26;

    private const string Style = """
        text { font: 11px system-ui, sans-serif; fill: #333 } .title { font-weight: 600; font-size: 12px } .name { text-anchor: end }
        .tick { text-anchor: middle; fill: #888 } .grid { stroke: #8883 } .spread { stroke: #888; stroke-width: 1.5 }
        .own { fill: #2f6fde } .limit { fill: #999 } .rival { fill: #d98a2b }
        @media (prefers-color-scheme: dark) { text { fill: #ddd } }
        """;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>Writes it into a file, over one that is there.</summary>
    public void Write(string file)
    {
        var panels = report.Measurements
            .Select(measurement => (
                Measurement: measurement, Columns: measurement.Columns.Where(column => column.Drawn).ToList(), Rows: report.Rows(measurement)))
            .Where(panel => Values(panel.Measurement, panel.Columns, panel.Rows).Any())
            .ToList();

        var picture = new XElement(Svg + "svg", new XElement(Svg + "style", Style));
        var y = 0;
        foreach (var abreast in panels.Chunk(PanelsAbreast))
        {
            var place = 0;
            foreach (var (measurement, columns, rows) in abreast)
            {
                var panel = Draw(measurement, columns, rows);
                panel.SetAttributeValue("transform", $"translate({place++ * PanelWidth} {y})");
                picture.Add(panel);
            }

            y += HeadHeight + FootHeight + abreast.Max(panel => panel.Rows.Count) * LineHeight;
        }

        picture.SetAttributeValue("viewBox", $"0 0 {PanelWidth * PanelsAbreast} {y}");
        picture.Save(file);
    }

    private XElement Draw(IMeasurement measurement, List<Column> columns, IReadOnlyList<Contender> rows)
    {
        var all = Values(measurement, columns, rows).ToList();
        var (first, last) = (Math.Floor(Math.Log10(all.Min())), Math.Ceiling(Math.Log10(all.Max())));
        double Place(double value) => NameWidth + 8 + (Math.Log10(Math.Max(value, Math.Pow(10, first))) - first) / Math.Max(1, last - first) * AxisWidth;

        var bottom = HeadHeight + rows.Count * LineHeight;
        var better = columns[0].MoreIsBetter ? "more is better" : "less is better";
        var panel = new XElement(
            Svg + "g",
            Text(8, 16, "title", measurement.Title),
            Text(8, 32, "what", $"{string.Join(" to ", columns.Select(column => column.Title))}, {better}"));
        var step = Math.Max(1, Math.Ceiling((last - first) / MostTicks));
        for (var decade = first; decade <= Math.Max(last, first + 1); decade += step)
        {
            var x = Place(Math.Pow(10, decade));
            panel.Add(Line(x, HeadHeight - 4, x, bottom, "grid"), Text(x, bottom + 13, "tick", Tick(Math.Pow(10, decade))));
        }

        for (var i = 0; i < rows.Count; i++)
        {
            var middle = HeadHeight + i * LineHeight + LineHeight / 2;
            panel.Add(Text(NameWidth, middle + 4, "name", rows[i].Name));
            panel.Add(Bar([.. columns.Select(column => report.Values(measurement, rows[i], column))], rows[i], Lack(measurement, rows[i]), Place, middle));
        }

        return panel;
    }

    // On such an axis nothing else has a place.
    private IEnumerable<double> Values(IMeasurement measurement, List<Column> columns, IReadOnlyList<Contender> rows) =>
        rows.Where(row => Lack(measurement, row) is null)
            .SelectMany(row => columns.SelectMany(column => report.Values(measurement, row, column)))
            .Where(value => value > 0);

    // What it did less of than was needed, in words.
    private string? Lack(IMeasurement measurement, Contender row) => measurement.Columns
        .Select(column => (column, values: report.Values(measurement, row, column)))
        .Where(found => found.values.Count > 0 && Report.Median(found.values) < found.column.Needed)
        .Select(found => $"{found.column.Title} {Report.Median(found.values).ToString(found.column.Format, CultureInfo.InvariantCulture)}")
        .FirstOrDefault();

    private static IEnumerable<XElement> Bar(
        List<IReadOnlyList<double>> drawn, Contender row, string? lack, Func<double, double> place, double middle)
    {
        if (lack is not null || drawn.Exists(values => values.Count == 0))
        {
            yield return Text(place(0) + 4, middle + 4, "none", lack ?? Report.NotAble);
            yield break;
        }

        var medians = drawn.ConvertAll(Report.Median);
        var from = drawn.Count == 1 ? place(0) : place(medians[0]);
        var kind = row.Name.StartsWith("Harness", StringComparison.Ordinal) ? "own" : row.Name == Contenders.Limit ? "limit" : "rival";
        yield return new XElement(
            Svg + "rect",
            new XAttribute("class", kind),
            Attribute("x", from),
            Attribute("y", middle - 5),
            Attribute("width", Math.Max(2, place(medians[^1]) - from)),
            Attribute("height", 10));
        foreach (var values in drawn)
        {
            yield return Line(place(values[0]), middle, place(values[^1]), middle, "spread");
        }

        var label = string.Join(" / ", medians.Select(value => value.ToString(value < 10 ? "0.0#" : "#,0", CultureInfo.InvariantCulture)));
        yield return Text(drawn.Max(values => place(values[^1])) + 5, middle + 4, "value", label);
    }

    private static string Tick(double value) => value switch
    {
        >= 1e6 => $"{(value / 1e6).ToString(CultureInfo.InvariantCulture)}M",
        >= 1e3 => $"{(value / 1e3).ToString(CultureInfo.InvariantCulture)}k",
        _ => value.ToString("0.######", CultureInfo.InvariantCulture),
    };

    private static XElement Text(double x, double y, string kind, string text) =>
        new(Svg + "text", new XAttribute("class", kind), Attribute("x", x), Attribute("y", y), text);

    private static XElement Line(double x1, double y1, double x2, double y2, string kind) =>
        new(Svg + "line", new XAttribute("class", kind), Attribute("x1", x1), Attribute("y1", y1), Attribute("x2", x2), Attribute("y2", y2));

    private static XAttribute Attribute(string name, double value) => new(name, value.ToString("0.#", CultureInfo.InvariantCulture));
}

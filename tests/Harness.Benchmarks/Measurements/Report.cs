using System.Globalization;
using System.Text;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>What was found, as Markdown: a table for each measurement, a row for each contender.</summary>
internal sealed class Report(IReadOnlyList<IMeasurement> measurements, IReadOnlyList<Contender> contenders)
{
    /// <summary>In place of a value of a server that could not do it.</summary>
    public const string NotAble = "not able";

    private readonly Dictionary<(IMeasurement, Contender), List<double[]?>> _found = [];

    /// <summary>What was measured, in the order of the tables.</summary>
    public IReadOnlyList<IMeasurement> Measurements => measurements;

    /// <summary>True when every server was able to do everything it was asked for.</summary>
    public bool IsComplete => _found.Values.All(rounds => rounds.TrueForAll(values => values is not null));

    /// <summary>Adds the values of a round.</summary>
    /// <param name="measurement">What was measured.</param>
    /// <param name="contender">On whom.</param>
    /// <param name="values">Null: the server was not able to do it.</param>
    public void Add(IMeasurement measurement, Contender contender, double[]? values)
    {
        if (!_found.TryGetValue((measurement, contender), out var rounds))
        {
            _found[(measurement, contender)] = rounds = [];
        }

        rounds.Add(values);
    }

    /// <summary>Who was measured, in the order of the rows.</summary>
    public IReadOnlyList<Contender> Rows(IMeasurement measurement) => [.. contenders.Where(contender => _found.ContainsKey((measurement, contender)))];

    /// <summary>The values of a column in the rounds that were done, the least first.</summary>
    public IReadOnlyList<double> Values(IMeasurement measurement, Contender contender, Column column)
    {
        var index = measurement.Columns.ToList().IndexOf(column);
        return [.. _found[(measurement, contender)].OfType<double[]>().Select(values => values[index]).Where(double.IsFinite).Order()];
    }

    /// <summary>The one in the middle, or between the two in the middle.</summary>
    /// <param name="sorted">At least one.</param>
    public static double Median(IReadOnlyList<double> sorted) => (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;

    /// <summary>The values of one round in a line.</summary>
    public static string Describe(IMeasurement measurement, double[] values) =>
        string.Join(", ", measurement.Columns.Zip(values, (column, value) => $"{column.Title} {Text(value, column.Format)}"));

    /// <summary>All tables.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var measurement in measurements)
        {
            AppendTable(text, measurement, Rows(measurement));
        }

        return text.ToString();
    }

    /// <summary>The median, with the least and the most where there are several.</summary>
    public static string Spread(IEnumerable<double> values, string format)
    {
        var sorted = values.Order().ToList();
        return sorted.Count switch
        {
            0 => NotAble,
            1 => Text(sorted[0], format),
            _ => $"{Text(Median(sorted), format)} ({Text(sorted[0], format)} to {Text(sorted[^1], format)})",
        };
    }

    private void AppendTable(StringBuilder text, IMeasurement measurement, IReadOnlyList<Contender> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var columns = measurement.Columns.SelectMany(column => column.Compared ? (string[])[column.Title, "times"] : [column.Title]).ToList();
        text.AppendLine(CultureInfo.InvariantCulture, $"**{measurement.Title}**").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| | {string.Join(" | ", columns)} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|---|{string.Concat(columns.Select(_ => "---|"))}");
        foreach (var row in rows)
        {
            var cells = measurement.Columns.SelectMany((column, i) => Cells(column, i, _found[(measurement, row)], _found[(measurement, rows[0])]));
            text.AppendLine(CultureInfo.InvariantCulture, $"| {row.Name} | {string.Join(" | ", cells)} |");
        }

        text.AppendLine();
    }

    private static IEnumerable<string> Cells(Column column, int index, List<double[]?> own, List<double[]?> first)
    {
        yield return Spread(own.OfType<double[]>().Select(values => values[index]), column.Format);
        if (column.Compared)
        {
            var ratios = first.Zip(own)
                .Where(round => round is { First: not null, Second: not null })
                .Select(round => column.MoreIsBetter ? round.First![index] / round.Second![index] : round.Second![index] / round.First![index]);
            yield return ReferenceEquals(own, first) ? "1" : Spread(ratios, "0.00");
        }
    }

    private static string Text(double value, string format) =>
        double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "-";
}

using System.Globalization;
using System.Text.Json;

namespace Harness.Suites;

/// <summary>
/// A value together with the way that led to it, so that whatever is wrong with it can be said where it stands. A missing value is a field
/// too: asking it for anything gives the default.
/// </summary>
internal sealed class SourceField
{
    private readonly SourceNode? _node;
    private readonly SourceField? _parent;
    private readonly string _step;

    private SourceField(SourceNode? node, SourceField? parent, string step) => (_node, _parent, _step) = (node, parent, step);

    /// <summary>A file as given by its user; null for JSON that came over a wire.</summary>
    public string? File { get; private init; }

    public static SourceField Root(SourceNode node, string? file) => new(node, null, "") { File = file };

    public bool Exists => _node is not null && _node.Kind != SourceKind.Null;

    public bool IsMap => _node?.Kind == SourceKind.Map;

    public bool IsText => _node?.Kind == SourceKind.Text;

    private int Line => _node is { Line: > 0 } ? _node.Line : _parent?.Line ?? 0;

    private string Path
    {
        get
        {
            var before = _parent?.Path ?? "";
            return before.Length == 0 || _step.StartsWith('[') ? before + _step : before + "." + _step;
        }
    }

    /// <summary>The member of that name; of a value that is no map, a missing one.</summary>
    /// <exception cref="SuiteFormatException">There is a value here, and it is no map.</exception>
    public SourceField this[string name]
    {
        get
        {
            Expect("an object", SourceKind.Map);
            var written = name;
            return new SourceField(_node?.Find(name, out written), this, written) { File = File };
        }
    }

    public IEnumerable<SourceField> Items
    {
        get
        {
            Expect("a list", SourceKind.List);
            return (_node?.Items ?? []).Select((item, index) => new SourceField(item, this, $"[{index}]") { File = File });
        }
    }

    /// <summary>Null when it is missing.</summary>
    public string? Text
    {
        get
        {
            if (_node is { Lenient: true, Kind: SourceKind.Number or SourceKind.Flag })
            {
                return _node.Text;
            }

            Expect("a string", SourceKind.Text);
            return Exists ? _node!.Text : null;
        }
    }

    public bool? Flag
    {
        get
        {
            Expect("true or false", SourceKind.Flag);
            return Exists ? YamlScalar.IsTrue(_node!.Text) : null;
        }
    }

    public double? Number
    {
        get
        {
            Expect("a number", SourceKind.Number);
            if (!Exists)
            {
                return null;
            }

            var number = double.Parse(YamlScalar.ToJsonNumber(_node!.Text), NumberStyles.Float, CultureInfo.InvariantCulture);
            return double.IsFinite(number) ? number : throw Problem($"expected a number that is not so large, found {_node.Text}");
        }
    }

    public int? Integer
    {
        get
        {
            var number = Number;
            return number is null || (number is >= int.MinValue and <= int.MaxValue && number == Math.Floor(number.Value))
                ? (int?)number
                : throw Problem($"expected a whole number, found {_node!.Text}");
        }
    }

    /// <summary>The members with their own names, in the order written; null when it is missing or has none.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Variables
    {
        get
        {
            Expect("an object", SourceKind.Map);
            if (_node is null || _node.Entries.Count == 0)
            {
                return null;
            }

            var variables = new OrderedDictionary<string, JsonElement>();
            foreach (var (name, value) in _node.Entries)
            {
                variables[name] = value.ToJson();
            }

            return variables;
        }
    }

    public JsonElement Json => _node?.ToJson() ?? default;

    public SuiteFormatException Problem(string problem)
    {
        var line = Line;
        var path = Path;
        var place = (File, line) switch
        {
            (null, _) => "",
            (_, 0) => File + ": ",
            _ => $"{File}, line {line}: ",
        };
        return new SuiteFormatException(place + (path.Length == 0 ? "" : path + ": ") + problem);
    }

    private void Expect(string expected, SourceKind kind)
    {
        if (Exists && _node!.Kind != kind)
        {
            throw Problem($"expected {expected}, found {Describe(_node)}");
        }
    }

    private static string Describe(SourceNode node) => node.Kind switch
    {
        SourceKind.Map => "an object",
        SourceKind.List => "a list",
        SourceKind.Number => "a number",
        SourceKind.Flag => node.Text,
        _ => "a string",
    };
}

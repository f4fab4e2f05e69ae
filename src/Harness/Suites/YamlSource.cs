using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Harness.Suites;

/// <summary>
/// Reads one YAML document into <see cref="SourceNode"/>s, straight from the parser's events: depth and expanded size are bounded before
/// anything is built, so neither deep nesting nor a chain of aliases can exhaust the process.
/// </summary>
internal sealed class YamlSource
{
    private const int MaxDepth = 64;
    private const int MaxValues = 500_000;

    private readonly IParser _parser;
    private readonly string _file;
    private readonly Dictionary<AnchorName, SourceNode> _anchors = [];

    private YamlSource(string text, string file) => (_parser, _file) = (new Parser(new StringReader(text)), file);

    /// <exception cref="SuiteFormatException">It is no YAML, or more of it than a suite can be.</exception>
    public static SourceNode Parse(string text, string file)
    {
        try
        {
            return new YamlSource(text, file).ReadDocument();
        }
        catch (YamlException error)
        {
            throw new SuiteFormatException($"{file}, line {error.Start.Line}: this is not YAML: {error.Message}", error);
        }
    }

    private SourceNode ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _))
        {
            return SourceNode.Scalar(SourceKind.Null, "", line: 1);
        }

        var root = Read(depth: 0);
        _parser.Consume<DocumentEnd>();
        if (_parser.TryConsume<DocumentStart>(out var second))
        {
            throw At(second, "a second document begins here; keep one document in one file");
        }

        return root;
    }

    private SourceNode Read(int depth)
    {
        if (depth > MaxDepth)
        {
            throw At(_parser.Current!, $"nested deeper than {MaxDepth} levels");
        }

        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return _anchors.TryGetValue(alias.Value, out var known)
                ? known
                : throw At(alias, $"the alias *{alias.Value} names no anchor that ends before it");
        }

        var begins = _parser.Consume<NodeEvent>();
        var node = begins switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart => ReadList(depth, LineOf(begins)),
            _ => ReadMap(depth, LineOf(begins)),
        };
        if (node.Size > MaxValues)
        {
            throw At(begins, $"more than {MaxValues} values, aliases counted where they are used; split the suite");
        }

        if (!begins.Anchor.IsEmpty)
        {
            _anchors[begins.Anchor] = node;
        }

        return node;
    }

    private static SourceNode ReadScalar(Scalar scalar)
    {
        var isText = scalar.Style != ScalarStyle.Plain || scalar.Tag == "tag:yaml.org,2002:str" || scalar.Tag.IsNonSpecific;
        return SourceNode.Scalar(isText ? SourceKind.Text : YamlScalar.KindOf(scalar.Value), scalar.Value, LineOf(scalar));
    }

    private SourceNode ReadList(int depth, int line)
    {
        var items = new List<SourceNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Read(depth + 1));
        }

        return SourceNode.List(items, line);
    }

    private SourceNode ReadMap(int depth, int line)
    {
        var merged = new List<KeyValuePair<string, SourceNode>>();
        var entries = new List<KeyValuePair<string, SourceNode>>();
        var names = new HashSet<string>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (!_parser.TryConsume<Scalar>(out var key))
            {
                throw At(_parser.Current!, "expected a name here, as in \"name: value\"");
            }

            var value = Read(depth + 1);
            if (key.Value == "<<" && MapsToMerge(value) is { } maps)
            {
                merged.AddRange(maps.SelectMany(map => map.Entries));
                if (merged.Count > MaxValues)
                {
                    throw At(key, $"more than {MaxValues} merged values; split the suite");
                }
            }
            else if (!names.Add(key.Value))
            {
                throw At(key, $"'{key.Value}' is here a second time; only one of the two could count");
            }
            else
            {
                entries.Add(KeyValuePair.Create(key.Value, value));
            }
        }

        // A map's own members win over merged ones.
        return SourceNode.Map([.. merged, .. entries], line);
    }

    // One map, or a list of maps of which the earlier wins: it goes last here.
    private static IEnumerable<SourceNode>? MapsToMerge(SourceNode value) => value.Kind switch
    {
        SourceKind.Map => [value],
        SourceKind.List when value.Items.All(item => item.Kind == SourceKind.Map) => value.Items.Reverse(),
        _ => null,
    };

    private static int LineOf(ParsingEvent at) => (int)at.Start.Line;

    private SuiteFormatException At(ParsingEvent at, string problem) => new($"{_file}, line {LineOf(at)}: {problem}");
}

using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Harness.Schemas;

/// <summary>
/// Reads the one document of a YAML file as a tree of nodes that can be walked. Its depth and its expanded size are bounded while it is
/// parsed, so that neither deep nesting nor aliases of aliases, or of what they stand in, can exhaust the process.
/// </summary>
internal sealed class YamlFile : IParser
{
    private const int MaxDepth = 128;
    private const int MaxValues = 100_000;
    private const int LettersOfOneMore = 100;

    private readonly Parser _parser;
    private readonly string _name;
    private readonly Func<string, Exception?, Exception> _error;
    private readonly Stack<(AnchorName Anchor, Extent Extent)> _open = [];
    private readonly Dictionary<AnchorName, Extent> _anchors = [];

    private YamlFile(string name, TextReader text, Func<string, Exception?, Exception> error) =>
        (_parser, _name, _error) = (new Parser(text), name, error);

    /// <inheritdoc />
    public ParsingEvent? Current => _parser.Current;

    /// <summary>Reads the root of the one document.</summary>
    /// <param name="name">What the file is called in errors.</param>
    /// <param name="text">The YAML.</param>
    /// <param name="error">Makes the exception to throw, of what is wrong where and its cause.</param>
    public static YamlNode Read(string name, TextReader text, Func<string, Exception?, Exception> error)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new YamlFile(name, text, error));
        }
        catch (YamlException exception)
        {
            throw error($"{name}, line {exception.Start.Line}: this is not YAML: {exception.Message}", exception);
        }

        return yaml.Documents.Count == 1
            ? yaml.Documents[0].RootNode
            : throw error($"{name}: one YAML document is expected, not {yaml.Documents.Count}", null);
    }

    /// <inheritdoc />
    public bool MoveNext()
    {
        if (!_parser.MoveNext())
        {
            return false;
        }

        switch (Current)
        {
            case DocumentStart:
                _anchors.Clear();
                break;
            case AnchorAlias alias:
                Add(_anchors.TryGetValue(alias.Value, out var known) ? known : throw At($"the alias *{alias.Value} names no anchor that ends before it"));
                break;
            case Scalar scalar:
                End(scalar.Anchor, new Extent(1 + (scalar.Value.Length / LettersOfOneMore), Height: 0));
                break;
            case SequenceStart or MappingStart:
                // From here to its end an alias of it would stand for what it stands in.
                var anchor = ((NodeEvent)Current).Anchor;
                _anchors.Remove(anchor);
                _open.Push((anchor, new Extent(Size: 1, Height: 0)));
                CheckDepth(below: 0);
                break;
            case SequenceEnd or MappingEnd:
                var (name, extent) = _open.Pop();
                End(name, extent with { Height = extent.Height + 1 });
                break;
        }

        return true;
    }

    private void End(AnchorName anchor, Extent extent)
    {
        if (!anchor.IsEmpty)
        {
            _anchors[anchor] = extent;
        }

        Add(extent);
    }

    private void Add(Extent part)
    {
        CheckDepth(part.Height);
        if (_open.TryPop(out var around))
        {
            var whole = new Extent(around.Extent.Size + part.Size, Math.Max(around.Extent.Height, part.Height));
            _open.Push((around.Anchor, whole));
            part = whole;
        }

        if (part.Size > MaxValues)
        {
            throw At($"more than {MaxValues} values here: aliases count where they are used, and a text once more for each {LettersOfOneMore} characters");
        }
    }

    private void CheckDepth(int below)
    {
        if (_open.Count + below > MaxDepth)
        {
            throw At($"nested deeper than {MaxDepth} levels, aliases counted as deep as what they stand for");
        }
    }

    private Exception At(string problem) => _error($"{_name}, line {Current!.Start.Line}: {problem}", null);

    // Values with every alias counted where it is used, and levels of lists and objects.
    private readonly record struct Extent(long Size, int Height);
}

using System.Globalization;
using System.Text.Json;
using Harness.Schemas;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Harness.Workflows;

/// <summary>A value of a YAML file that knows where it stands.</summary>
internal sealed class YamlValue
{
    private const int MaxDepth = 32;

    private readonly string _file;
    private readonly string _path;
    private readonly YamlNode _node;

    private YamlValue(string file, string path, YamlNode node) => (_file, _path, _node) = (file, path, node);

    /// <summary>Reads the one document of a file.</summary>
    /// <exception cref="WorkflowFormatException">It is no YAML.</exception>
    public static YamlValue Read(string file, TextReader text) =>
        new(file, "", YamlFile.Read(file, text, (problem, cause) => new WorkflowFormatException(problem, cause)));

    /// <summary>True for a list.</summary>
    public bool IsList => _node is YamlSequenceNode;

    /// <summary>True for an object.</summary>
    public bool IsMap => _node is YamlMappingNode;

    /// <summary>True for a text with places for other values.</summary>
    public bool HasPlaces => _node is YamlScalarNode { Value: { } text } && text.Contains("{{", StringComparison.Ordinal);

    /// <summary>An error that says where.</summary>
    public WorkflowFormatException Error(string problem, Exception? cause = null) =>
        new($"{_file}, line {_node.Start.Line}{(_path.Length == 0 ? "" : $", {_path}")}: {problem}", cause);

    /// <summary>The members of an object that has no others than these.</summary>
    public YamlMembers Members(params string[] known)
    {
        var members = new Dictionary<string, YamlValue>(StringComparer.Ordinal);
        foreach (var (name, value) in AllMembers())
        {
            members[name] = known.Contains(name)
                ? value
                : throw value.Error($"unknown field '{name}'; known here: {string.Join(", ", known)}");
        }

        return new YamlMembers(this, members);
    }

    /// <summary>The members of an object, whatever their names.</summary>
    public IEnumerable<(string Name, YamlValue Value)> AllMembers()
    {
        if (_node is not YamlMappingNode map)
        {
            throw Error("an object is expected here");
        }

        foreach (var (key, value) in map.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? throw Error("the names of an object's members are texts");
            yield return (name, new YamlValue(_file, _path.Length == 0 ? name : $"{_path}.{name}", value));
        }
    }

    /// <summary>The items of a list.</summary>
    public IReadOnlyList<YamlValue> Items() => _node is YamlSequenceNode list
        ? [.. list.Children.Select((item, index) => new YamlValue(_file, $"{_path}[{index}]", item))]
        : throw Error("a list is expected here");

    /// <summary>A text; a number or a flag is taken as it is written.</summary>
    public string Text() => _node is YamlScalarNode { Value: { } text } ? text : throw Error("a text is expected here");

    /// <summary>True or false.</summary>
    public bool Flag() => (_node as YamlScalarNode)?.Value switch
    {
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => throw Error("true or false is expected here"),
    };

    /// <summary>A time such as <c>500ms</c>, <c>5s</c>, <c>10m</c>, <c>2h</c>, <c>1d</c>.</summary>
    public TimeSpan Time()
    {
        var text = Text();
        var digits = text.TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.').Count();
        var isNumber = double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number);
        var unit = text[digits..].Trim() switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            _ => TimeSpan.Zero,
        };
        return isNumber && unit > TimeSpan.Zero && number * unit.TotalDays <= 366
            ? number * unit
            : throw Error($"a time is expected here, such as 500ms, 5s, 10m, 2h or 1d (up to a year), not '{text}'");
    }

    /// <summary>Any value as JSON.</summary>
    public JsonElement Json()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            Write(json, _node, 0);
        }

        return JsonElement.Parse(bytes.ToArray());
    }

    private void Write(Utf8JsonWriter json, YamlNode node, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Error($"values may be nested {MaxDepth} deep at most");
        }

        switch (node)
        {
            case YamlMappingNode map:
                json.WriteStartObject();
                foreach (var (key, value) in map.Children)
                {
                    json.WritePropertyName((key as YamlScalarNode)?.Value ?? throw Error("the names of an object's members are texts"));
                    Write(json, value, depth + 1);
                }

                json.WriteEndObject();
                break;
            case YamlSequenceNode list:
                json.WriteStartArray();
                foreach (var item in list.Children)
                {
                    Write(json, item, depth + 1);
                }

                json.WriteEndArray();
                break;
            case YamlScalarNode scalar:
                WriteScalar(json, scalar);
                break;
            default:
                throw Error("this is no value");
        }
    }

    // Plain scalars as the core schema of YAML 1.2 has them, without its octal and hexadecimal numbers; what is quoted is a text.
    private static void WriteScalar(Utf8JsonWriter json, YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
        {
            json.WriteStringValue(text);
            return;
        }

        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                json.WriteNullValue();
                break;
            case "true" or "True" or "TRUE":
                json.WriteBooleanValue(true);
                break;
            case "false" or "False" or "FALSE":
                json.WriteBooleanValue(false);
                break;
            default:
                if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
                {
                    json.WriteNumberValue(whole);
                }
                else if ((char.IsAsciiDigit(text[^1]) || text[^1] == '.') && text[0] is '-' or '+' or '.' or (>= '0' and <= '9')
                    && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                {
                    json.WriteNumberValue(number);
                }
                else
                {
                    json.WriteStringValue(text);
                }

                break;
        }
    }
}

/// <summary>The members of an object in a YAML file.</summary>
internal sealed class YamlMembers(YamlValue owner, Dictionary<string, YamlValue> members)
{
    /// <summary>The object itself.</summary>
    public YamlValue Owner => owner;

    /// <summary>One that may be missing.</summary>
    public YamlValue? Find(string name) => members.GetValueOrDefault(name);

    /// <summary>One that must be there.</summary>
    public YamlValue Get(string name) => Find(name) ?? throw owner.Error($"'{name}' is missing");
}

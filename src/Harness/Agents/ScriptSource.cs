using System.Globalization;
using System.Text;
using System.Text.Json;
using Harness.Schemas;
using Microsoft.Extensions.Configuration;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Harness.Agents;

/// <summary>A YAML or JSON document with the way back to its lines, for errors that say where.</summary>
internal sealed class ScriptSource
{
    private const int MaxDepth = 32;

    // An alias is one node in the file and a copy here; copies of copies end at this count.
    private const int MaxNodes = 100_000;

    // An empty list is an empty text in a configuration.
    private static readonly string[] Lists = ["tools", "subAgents", "rules", "reply"];

    private readonly string _name;
    private readonly Dictionary<string, long> _lines = [];
    private int _nodes;

    private ScriptSource(string name) => _name = name;

    /// <summary>Reads YAML text.</summary>
    /// <param name="name">What the document is called in errors, such as its file name.</param>
    /// <param name="text">The YAML.</param>
    /// <exception cref="AgentException">It is not YAML; names the line.</exception>
    public static ScriptNode ReadYaml(string name, TextReader text)
    {
        var source = new ScriptSource(name);
        var root = YamlFile.Read(name, text, (problem, cause) => new AgentException(problem, cause));
        return new ScriptNode(Convert(json => source.Write(json, root, "", 0)), "", source);
    }

    /// <summary>Takes JSON of a request.</summary>
    /// <param name="name">What it is called in errors.</param>
    /// <param name="value">Must outlive the node.</param>
    public static ScriptNode Of(string name, JsonElement value) => new(value, "", new ScriptSource(name));

    /// <summary>
    /// Takes a section of the configuration, which has texts only: they are read as YAML reads plain ones, and sections whose names count from
    /// 0 are lists.
    /// </summary>
    /// <param name="section">Its path is what it is called in errors.</param>
    /// <param name="members">Its own members, whose case does not matter; further in, names are as they are written.</param>
    public static ScriptNode Of(IConfigurationSection section, IReadOnlyCollection<string> members)
    {
        var source = new ScriptSource(section.Path);
        return new ScriptNode(Convert(json => source.Write(json, section, members, 0)), "", source);
    }

    /// <summary>Where something is, in words.</summary>
    public string Where(string path)
    {
        var line = _lines.TryGetValue(path, out var known) ? $", line {known}" : "";
        return path.Length == 0 ? $"{_name}{line}" : $"{_name}{line}, {path}";
    }

    private static JsonElement Convert(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = AgentJson.Encoder }))
        {
            write(json);
        }

        return JsonElement.Parse(bytes.ToArray());
    }

    private void Write(Utf8JsonWriter json, YamlNode node, string path, int depth)
    {
        _lines[path] = node.Start.Line;
        CheckSize(path, depth);
        switch (node)
        {
            case YamlMappingNode mapping:
                json.WriteStartObject();
                foreach (var (key, value) in mapping.Children)
                {
                    var name = (key as YamlScalarNode)?.Value
                        ?? throw new AgentException($"{_name}, line {key.Start.Line}: a key must be a plain word");
                    json.WritePropertyName(name);
                    Write(json, value, path.Length == 0 ? name : $"{path}.{name}", depth + 1);
                }

                json.WriteEndObject();
                break;
            case YamlSequenceNode sequence:
                json.WriteStartArray();
                for (var i = 0; i < sequence.Children.Count; i++)
                {
                    Write(json, sequence.Children[i], $"{path}[{i}]", depth + 1);
                }

                json.WriteEndArray();
                break;
            case YamlScalarNode { Style: ScalarStyle.Plain } plain:
                WritePlain(json, plain.Value ?? "");
                break;
            case YamlScalarNode scalar:
                json.WriteStringValue(scalar.Value);
                break;
        }
    }

    private void Write(Utf8JsonWriter json, IConfigurationSection section, IReadOnlyCollection<string> members, int depth)
    {
        CheckSize("", depth);
        var children = section.GetChildren().ToList();
        if (children.Count == 0)
        {
            WritePlain(json, section.Value ?? "");
        }
        else if (children.All(child => int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            json.WriteStartArray();
            children.ForEach(child => Write(json, child, [], depth + 1));
            json.WriteEndArray();
        }
        else
        {
            json.WriteStartObject();
            foreach (var child in children)
            {
                json.WritePropertyName(members.FirstOrDefault(name => name.Equals(child.Key, StringComparison.OrdinalIgnoreCase)) ?? child.Key);
                if (child.Value is "" && Lists.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                {
                    json.WriteRawValue("[]");
                }
                else
                {
                    Write(json, child, [], depth + 1);
                }
            }

            json.WriteEndObject();
        }
    }

    private void CheckSize(string path, int depth)
    {
        if (depth > MaxDepth || ++_nodes > MaxNodes)
        {
            throw new AgentException($"{Where(path)}: the document is too deep or too large; at most {MaxDepth} levels, {MaxNodes} values");
        }
    }

    // YAML's core schema, without its octal and hexadecimal numbers: what JSON reads as a number is one.
    private static void WritePlain(Utf8JsonWriter json, string text)
    {
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
                if (IsNumber(text))
                {
                    json.WriteRawValue(text);
                }
                else
                {
                    json.WriteStringValue(text);
                }

                break;
        }
    }

    private static bool IsNumber(string text)
    {
        if (text[0] != '-' && !char.IsAsciiDigit(text[0]))
        {
            return false;
        }

        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.Number && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

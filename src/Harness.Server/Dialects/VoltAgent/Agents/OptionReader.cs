using System.Globalization;
using System.Text.Json;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>Reads the <c>options</c> of a body and collects what is wrong with them. What is null counts as not there.</summary>
internal sealed class OptionReader
{
    // Users and conversations are remembered by these.
    private const int MaxNameLength = 256;

    private readonly JsonElement _options;

    public OptionReader(JsonElement body)
    {
        _options = Find(body, "options");
        if (_options.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Object))
        {
            Problems.Add("options must be an object");
            _options = default;
        }
    }

    /// <summary>What is wrong, in words for the client.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>A number within its range; null: there is none.</summary>
    public double? Number(string name, double least, double most)
    {
        var value = Find(_options, name);
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most)
        {
            return number;
        }

        Problems.Add(string.Create(CultureInfo.InvariantCulture, $"options.{name} must be a number from {least} to {most}"));
        return null;
    }

    /// <summary>A whole number; null: there is none.</summary>
    public int? Whole(string name, int least) => Whole(Find(_options, name), $"options.{name}", least);

    /// <summary>The limit in <c>memory.options</c>.</summary>
    public int? ContextLimit(JsonElement memory) =>
        Whole(Find(Find(memory, "options"), "contextLimit"), "options.memory.options.contextLimit", 1);

    /// <summary>A text; null: there is none.</summary>
    public string? Text(string name) => Text(Find(_options, name), $"options.{name}");

    /// <summary>A text in an object of the options.</summary>
    public string? Text(string name, JsonElement holder) => Text(Find(holder, name), $"options.memory.{name}");

    /// <summary>True or false; false when there is none.</summary>
    public bool Flag(string name)
    {
        var value = Find(_options, name);
        if (value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.True or JsonValueKind.False))
        {
            Problems.Add($"options.{name} must be true or false");
        }

        return value.ValueKind == JsonValueKind.True;
    }

    /// <summary>A list of texts.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        var list = Find(_options, name);
        if (list.ValueKind == JsonValueKind.Undefined)
        {
            return [];
        }

        if (list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
        {
            return [.. list.EnumerateArray().Select(item => item.GetString()!)];
        }

        Problems.Add($"options.{name} must be a list of texts");
        return [];
    }

    /// <summary>An object; undefined: there is none.</summary>
    public JsonElement Object(string name, string path)
    {
        var value = Find(_options, name);
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Object)
        {
            return value;
        }

        Problems.Add($"{path} must be an object");
        return default;
    }

    /// <summary>An object by its new name, or by its old one.</summary>
    public JsonElement Either(string name, string oldName)
    {
        var value = Object(name, $"options.{name}");
        return value.ValueKind == JsonValueKind.Object ? value : Object(oldName, $"options.{oldName}");
    }

    /// <summary>A member that is there and not null.</summary>
    public static JsonElement Find(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : default;

    private string? Text(JsonElement value, string path)
    {
        if (value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.String))
        {
            Problems.Add($"{path} must be a text");
        }

        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (text?.Length > MaxNameLength)
        {
            Problems.Add($"{path} must be a text of at most {MaxNameLength} characters");
        }

        return text;
    }

    private int? Whole(JsonElement value, string path, int least)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return null;
        }

        // 5.0 is a whole number too.
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Floor(number) == number
            && number >= least && number <= int.MaxValue)
        {
            return (int)number;
        }

        Problems.Add(least == int.MinValue ? $"{path} must be a whole number" : $"{path} must be a whole number from {least}");
        return null;
    }
}

using System.Globalization;
using System.Text.Json;

namespace Harness.Server.Transports;

/// <summary>
/// The members of a command, whichever transport brought it. Names match whatever their case, of several the last counts, and null is as
/// good as absent: as the seed's server reads its messages.
/// </summary>
internal sealed class CommandFields
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.OrdinalIgnoreCase);
    private readonly string _prefix;
    private readonly JsonElement _value;

    /// <summary>Reads an object; null or nothing is an empty one.</summary>
    /// <param name="value">The object.</param>
    /// <param name="name">Its own name, for errors; null: the command itself.</param>
    /// <exception cref="CommandException">It is no object.</exception>
    public CommandFields(JsonElement value, string? name = null)
    {
        _prefix = name is null ? "" : name + ".";
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw CommandException.Field(name ?? "the command", "a JSON object");
        }

        _value = value;
        foreach (var member in value.EnumerateObject())
        {
            _members[member.Name] = member.Value;
        }
    }

    /// <summary>The value as it came; undefined when there is none. Here null is a value.</summary>
    public JsonElement Raw(string name) => _members.GetValueOrDefault(name);

    /// <summary>True unless the value is absent or null.</summary>
    public bool Has(string name) => Raw(name).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>Whether all members are among these.</summary>
    public bool HasOnly(params string[] names) => _members.Keys.All(member => names.Contains(member, StringComparer.OrdinalIgnoreCase));

    /// <summary>A text; null when there is none.</summary>
    public string? Text(string name, int maxLength) => Text(_prefix + name, Raw(name), maxLength);

    /// <summary>Yes or no; null when nothing is said.</summary>
    public bool? Flag(string name) => Raw(name).ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw CommandException.Field(_prefix + name, "true or false"),
    };

    /// <summary>A whole number; null when there is none.</summary>
    public long? Whole(string name, long least, long most)
    {
        if (!Has(name))
        {
            return null;
        }

        return Raw(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) && number >= least && number <= most
            ? number
            : throw CommandException.Range(_prefix + name, least, most);
    }

    /// <summary>A moment, as documents have it; null when there is none. An empty text is refused: it is most often of a variable that is not set.</summary>
    public DateTimeOffset? Time(string name) => Text(name, CommandLimits.NameLength) is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw CommandException.Field(_prefix + name, "a time, such as 2026-01-31T12:00:00.123Z");

    /// <summary>The fields of an object inside; empty when there is none.</summary>
    public CommandFields Inner(string name) => new(Raw(name), _prefix + name);

    /// <summary>All members as texts: labels. Names that differ in case are two.</summary>
    public Dictionary<string, string> Texts(int maxCount, int maxNameLength, int maxLength)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in _value.ValueKind == JsonValueKind.Object ? _value.EnumerateObject() : default)
        {
            if (member.Name.Length == 0 || member.Name.Length > maxNameLength)
            {
                throw CommandException.Field($"each name in {_prefix.TrimEnd('.')}", $"1 to {maxNameLength} characters long");
            }

            texts[member.Name] = Text(_prefix + member.Name, member.Value, maxLength) ?? throw CommandException.Field(_prefix + member.Name, "a string");
            if (texts.Count > maxCount)
            {
                throw CommandException.Field(_prefix.TrimEnd('.'), $"an object of at most {maxCount} members");
            }
        }

        return texts;
    }

    private static string? Text(string name, JsonElement value, int maxLength)
    {
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= maxLength
            ? text
            : throw CommandException.Field(name, $"a string of at most {maxLength} characters");
    }
}

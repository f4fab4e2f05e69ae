using System.Text.Json;

namespace Harness.Agents;

/// <summary>The variables of one conversation, for agents that keep none themselves. Thread-safe; order is kept.</summary>
internal sealed class ConversationVariables
{
    /// <summary>Names that are kept; one more is an error.</summary>
    public const int MaxCount = 10_000;

    private readonly Lock _gate = new();
    private readonly OrderedDictionary<string, JsonElement> _values = new(StringComparer.Ordinal);

    /// <summary>Sets the variables of a turn; null for none.</summary>
    /// <exception cref="AgentException">There are too many.</exception>
    public void Set(IEnumerable<KeyValuePair<string, JsonElement>>? variables)
    {
        lock (_gate)
        {
            foreach (var (name, value) in variables ?? [])
            {
                _values[name] = value.Clone();
            }

            if (_values.Count > MaxCount)
            {
                throw new AgentException($"The conversation has more than {MaxCount} variables");
            }
        }
    }

    /// <summary>Sets the properties of an object; undefined for none.</summary>
    /// <exception cref="AgentException">There are too many.</exception>
    public void Set(JsonElement variables)
    {
        if (variables.ValueKind == JsonValueKind.Object)
        {
            Set(variables.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, property.Value)));
        }
    }

    /// <summary>All of them as one JSON object of its own.</summary>
    /// <exception cref="AgentException">One holds text that is not Unicode.</exception>
    public JsonElement ToJson()
    {
        lock (_gate)
        {
            return AgentJson.ToElement(_values);
        }
    }
}

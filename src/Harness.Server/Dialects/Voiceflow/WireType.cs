using System.Text.Json;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>
/// A type of the seed's requests and answers: what a JSON value has to be there, and how the seed's server names it in its errors
/// (compat/voiceflow 1.3). The same tables describe the API in the OpenAPI document.
/// </summary>
internal sealed class WireType(WireKind kind, string name)
{
    public static readonly WireType Text = new(WireKind.Text, "string");
    public static readonly WireType Flag = new(WireKind.Flag, "bool");
    public static readonly WireType Whole = new(WireKind.Whole, "int");
    public static readonly WireType Real = new(WireKind.Real, "float64");
    public static readonly WireType Map = new(WireKind.Map, "map[string]interface {}");

    /// <summary>A value whose type is not checked here.</summary>
    public static readonly WireType Anything = new(WireKind.Anything, "interface {}");

    /// <summary>What a value has to be.</summary>
    public WireKind Kind { get; } = kind;

    /// <summary>How the seed's server names the type.</summary>
    public string Name { get; } = name;

    /// <summary>Of an object: its members. Their names match whatever their case.</summary>
    public IReadOnlyList<WireField> Fields { get; init; } = [];

    /// <summary>Of a list: what its elements are.</summary>
    public WireType? Element { get; init; }

    /// <summary>The name without its package: <c>TestSuiteRequest</c> for <c>handlers.TestSuiteRequest</c>.</summary>
    public string ShortName => Name[(Name.LastIndexOf('.') + 1)..];

    public static WireType Object(string name, params IReadOnlyList<WireField> fields) => new(WireKind.Object, name) { Fields = fields };

    public static WireType List(WireType element) => new(WireKind.List, "[]" + element.Name) { Element = element };

    /// <summary>The first value of the wrong type, in the words of the seed's server; null when all fit.</summary>
    public string? FindMisfit(JsonElement value) => FindMisfit(value, owner: null, path: "");

    private string? FindMisfit(JsonElement value, string? owner, string path)
    {
        if (value.ValueKind == JsonValueKind.Null || Kind == WireKind.Anything)
        {
            return null;
        }

        if (!Accepts(value))
        {
            var place = owner is null ? "Go value" : $"Go struct field {owner}.{path}";
            return $"json: cannot unmarshal {Describe(value)} into {place} of type {Name}";
        }

        return Kind switch
        {
            WireKind.Object => FindMisfitInside(value, path),
            WireKind.List => value.EnumerateArray().Select(item => Element!.FindMisfit(item, owner, path)).FirstOrDefault(IsFound),
            _ => null,
        };
    }

    private string? FindMisfitInside(JsonElement value, string path)
    {
        foreach (var property in value.EnumerateObject())
        {
            var field = Fields.FirstOrDefault(field => !field.IsOwn && string.Equals(field.Name, property.Name, StringComparison.OrdinalIgnoreCase));
            var misfit = field?.Type.FindMisfit(property.Value, ShortName, path.Length == 0 ? field.Name : $"{path}.{field.Name}");
            if (IsFound(misfit))
            {
                return misfit;
            }
        }

        return null;
    }

    private static bool IsFound(string? misfit) => misfit is not null;

    private bool Accepts(JsonElement value) => Kind switch
    {
        WireKind.Text => value.ValueKind == JsonValueKind.String,
        WireKind.Flag => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        WireKind.Whole => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        WireKind.Real => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number),
        WireKind.List => value.ValueKind == JsonValueKind.Array,
        _ => value.ValueKind == JsonValueKind.Object,
    };

    // Where a number was wanted, the seed's server shows the one that did not fit.
    private string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when Kind is WireKind.Whole or WireKind.Real => $"number {value.GetRawText()}",
        JsonValueKind.Number => "number",
        JsonValueKind.String => "string",
        JsonValueKind.Array => "array",
        JsonValueKind.Object => "object",
        _ => "bool",
    };
}

/// <summary>A member of an object.</summary>
/// <param name="Name">Its name on the wire.</param>
/// <param name="Type">What its value has to be.</param>
/// <param name="Meaning">What it is for, for the OpenAPI document; null where the name says it.</param>
/// <param name="IsRequired">Whether the OpenAPI document names it as required.</param>
/// <param name="IsOwn">Whether the seed's server has no such member: what reads it checks it, in words of its own.</param>
internal sealed record WireField(string Name, WireType Type, string? Meaning = null, bool IsRequired = false, bool IsOwn = false);

/// <summary>What a JSON value has to be.</summary>
internal enum WireKind
{
    Text,
    Flag,
    Whole,
    Real,
    Map,
    Anything,
    Object,
    List,
}

using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Harness.Schemas;

/// <summary>Values are the same as <see cref="JsonElement.DeepEquals"/> has it: <c>1</c> is <c>1.0</c>, and members have no order.</summary>
internal sealed class JsonEquality : IEqualityComparer<JsonElement>
{
    private JsonEquality()
    {
    }

    public static JsonEquality Instance { get; } = new();

    public bool Equals(JsonElement x, JsonElement y) => JsonElement.DeepEquals(x, y);

    public int GetHashCode([DisallowNull] JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.GetHashCode(StringComparison.Ordinal),
        JsonValueKind.Number => value.GetDouble().GetHashCode(),
        JsonValueKind.Array => value.EnumerateArray().Aggregate(1, (hash, item) => HashCode.Combine(hash, GetHashCode(item))),
        JsonValueKind.Object => value.EnumerateObject().Aggregate(
            2, (hash, member) => unchecked(hash + HashCode.Combine(member.Name, GetHashCode(member.Value)))),
        var kind => (int)kind,
    };
}

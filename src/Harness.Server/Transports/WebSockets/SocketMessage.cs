using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// One message of a client: what every action has, read in the words of the seed's server, and the rest for the command itself. Key names
/// match whatever their case; the last of several counts.
/// </summary>
internal sealed record SocketMessage
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = JsonSyntax.MaxDepth };

    public string Action { get; private init; } = "";

    /// <summary>The client's own mark for the answer; null: none. Kept as long as a subscription that has it.</summary>
    public string? Reference { get; private init; }

    /// <summary>All members, for the command that the action names.</summary>
    public CommandFields Fields { get; private init; } = new(default);

    /// <summary>Reads a message; when it cannot be read, <paramref name="problem"/> says why in the words clients know.</summary>
    public static SocketMessage? Parse(ReadOnlyMemory<byte> utf8, out string? problem)
    {
        problem = JsonSyntax.Describe(utf8.Span);
        if (problem is not null)
        {
            return null;
        }

        var root = JsonElement.Parse(JsonRepair.Apply(utf8).Span, Strict);
        if (root.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
        {
            problem = $"json: cannot unmarshal {Name(root.ValueKind)} into Go value of type handlers.WSIncomingMessage";
            return null;
        }

        var message = new SocketMessage();
        if (root.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in root.EnumerateObject())
            {
                message = message.With(member, ref problem);
            }
        }

        return problem is null ? message with { Fields = new CommandFields(root) } : null;
    }

    private SocketMessage With(JsonProperty member, ref string? problem) => member.Name.ToUpperInvariant() switch
    {
        "ACTION" => this with { Action = Text(member, "action", ref problem) ?? Action },
        "ID" => Checked(member, "id", ref problem),
        "KIND" => Checked(member, "kind", ref problem),
        "REF" => this with { Reference = Text(member, "ref", ref problem) ?? Reference },
        _ => this,
    };

    // The command reads it; here it only has to be a text.
    private SocketMessage Checked(JsonProperty member, string name, ref string? problem)
    {
        _ = Text(member, name, ref problem);
        return this;
    }

    private static string? Text(JsonProperty member, string name, ref string? problem)
    {
        if (member.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
        {
            problem ??= $"json: cannot unmarshal {Name(member.Value.ValueKind)} into Go struct field WSIncomingMessage.{name} of type string";
            return null;
        }

        return member.Value.GetString();
    }

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.True or JsonValueKind.False => "bool",
        _ => kind.ToString().ToLowerInvariant(),
    };
}

using System.Globalization;
using System.Text.Json;

namespace Harness.Workflows;

/// <summary>What stands between <c>{{</c> and <c>}}</c>: a root and a path into it, such as <c>steps.check.total</c> or <c>data.items[0]</c>.</summary>
internal sealed class Reference
{
    private static readonly string[] Roots = ["input", "data", "steps", "state", "resume", "user", "env"];

    private readonly string _root;
    private readonly string[] _path;

    private Reference(string root, string[] path) => (_root, _path) = (root, path);

    /// <summary>What stands behind <c>steps</c>: the id of a step, and perhaps a path into what it gave; null: it looks at none.</summary>
    public string? StepPath => _root == "steps" ? string.Join('.', _path) : null;

    /// <summary>Whether it reads a variable of the server's environment, which is its operator's.</summary>
    public bool IsEnvironment => _root == "env";

    /// <summary>Reads one.</summary>
    /// <param name="text">Without the braces.</param>
    /// <param name="place">Where it stands, for errors.</param>
    /// <param name="allowsSecrets">Whether <c>env</c> may be named: only where the value goes out and not into the log.</param>
    /// <exception cref="WorkflowFormatException">It looks at nothing that is there.</exception>
    public static Reference Parse(string text, YamlValue place, bool allowsSecrets)
    {
        var parts = text.Trim().Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.');
        var (root, path) = (parts[0], parts[1..]);
        if (!Roots.Contains(root) || path.Contains(""))
        {
            throw place.Error($"{{{{{text.Trim()}}}}} looks at nothing: begin with one of {string.Join(", ", Roots)}, then names between dots");
        }

        if (root == "env" && (!allowsSecrets || path.Length != 1))
        {
            throw place.Error("{{env.NAME}} may only be used in the url, the headers and the body of an http step: anywhere else it would be shown");
        }

        if (root == "steps" && path.Length == 0)
        {
            throw place.Error("{{steps}} needs the id of a step: {{steps.ID}}");
        }

        return new Reference(root, path);
    }

    /// <summary>The value of this moment; null as JSON when there is none.</summary>
    public JsonElement Find(StepContext context)
    {
        var (value, path) = _root switch
        {
            "input" => (context.Input, _path),
            "data" => (context.Data, _path),
            "steps" => FindStep(context),
            "state" => (JsonSerializer.SerializeToElement(context.State), _path),
            "resume" => (context.ResumeData, _path),
            "user" => (User(context), _path),
            _ => (Environment.GetEnvironmentVariable(_path[0]) is { } text ? JsonSerializer.SerializeToElement(text) : default, []),
        };
        foreach (var name in path)
        {
            value = value.ValueKind switch
            {
                JsonValueKind.Object when value.TryGetProperty(name, out var member) => member,
                JsonValueKind.Array when int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < value.GetArrayLength() =>
                    value[index],
                _ => default,
            };
        }

        return value.OrNull();
    }

    /// <summary>The ids of steps that a <see cref="StepPath"/> may mean, the longest first: an id may have dots.</summary>
    public static IEnumerable<string> IdsIn(string stepPath)
    {
        for (var end = stepPath.Length; end > 0; end = stepPath.LastIndexOf('.', end - 1))
        {
            yield return stepPath[..end];
        }
    }

    private (JsonElement Value, string[] Path) FindStep(StepContext context) => IdsIn(StepPath!).Index()
        .Select(id => (Value: context.OutputOf(id.Item), Path: _path[(_path.Length - id.Index)..]))
        .FirstOrDefault(step => step.Value.ValueKind != JsonValueKind.Undefined, (default, []));

    private static JsonElement User(StepContext context) => JsonElement.Parse(WorkflowJson.Write(json =>
    {
        json.WriteText("id", context.UserId);
        json.WriteText("conversation", context.ConversationId);
        json.WriteValue("context", context.UserContext);
    }).Span);
}

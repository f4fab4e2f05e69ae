using System.Text.Json;
using Harness.Agents;

namespace Harness.Generations;

/// <summary>Reads agents from YAML files, and from what has their form. What is misspelt is an error that says where and what to change.</summary>
internal static class AgentFile
{
    private static readonly string[] Extensions = [".yaml", ".yml"];

    /// <summary>What an agent is made of, beside its id.</summary>
    public static readonly string[] Members =
        ["name", "description", "instructions", "model", "tools", "subAgents", "maxSteps", "tokenDelay", "variables", "rules", "fallback"];

    /// <summary>Every agent of a folder, by file name; files of sub-folders are none.</summary>
    /// <exception cref="AgentException">The folder is not there, or one of its files is no agent.</exception>
    public static IReadOnlyList<AgentDefinition> ReadFolder(string folder)
    {
        try
        {
            var files = Directory.EnumerateFiles(folder)
                .Where(file => Extensions.Contains(Path.GetExtension(file).ToLowerInvariant()))
                .Order(StringComparer.Ordinal);
            return [.. files.Select(ReadFile)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AgentException($"The agents' folder {folder} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads one agent.</summary>
    /// <param name="name">What the text is called in errors.</param>
    /// <param name="id">Its id, where it names none.</param>
    /// <param name="text">The YAML.</param>
    /// <exception cref="AgentException">It is no agent.</exception>
    public static AgentDefinition Read(string name, string id, TextReader text)
    {
        var root = ScriptSource.ReadYaml(name, text).Object(["id", .. Members]);
        return Read(root, root.Find("id")?.Text() ?? id);
    }

    /// <summary>Reads one agent, wherever it is written; its members have been looked at.</summary>
    /// <exception cref="AgentException">It is no agent.</exception>
    public static AgentDefinition Read(ScriptNode root, string id)
    {
        var hasRules = root.Find("rules") is not null;
        if (!hasRules && root.Find("fallback") is { } lonely)
        {
            throw lonely.Error("'fallback' goes with 'rules'; write rules: [] when there are none");
        }

        return new AgentDefinition
        {
            Id = id,
            Name = root.Find("name")?.Text(),
            Description = root.Find("description")?.Text() ?? "",
            Instructions = root.Find("instructions")?.Text() ?? "",
            Model = root.Find("model")?.Text() ?? ChatModels.Scripted,
            Tools = [.. Texts(root.Find("tools"))],
            SubAgents = [.. Texts(root.Find("subAgents"))],
            MaxSteps = root.Find("maxSteps") is { } steps ? Whole(steps) : null,
            TokenDelay = root.Find("tokenDelay") is { } delay ? ScriptReader.Delay(delay) : TimeSpan.Zero,
            Script = hasRules ? ScriptedChat.Check(ScriptReader.Read(root), root) : null,
        };
    }

    private static AgentDefinition ReadFile(string file)
    {
        using var text = File.OpenText(file);
        return Read(file, Path.GetFileNameWithoutExtension(file), text);
    }

    private static IEnumerable<string> Texts(ScriptNode? list) => list?.Items().Select(item => item.Text()) ?? [];

    private static int Whole(ScriptNode node) =>
        node.Value.ValueKind == JsonValueKind.Number && node.Value.TryGetInt32(out var number) && number > 0
            ? number
            : throw node.Error("a whole number from 1 is expected here");
}

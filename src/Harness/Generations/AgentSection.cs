using Harness.Agents;
using Microsoft.Extensions.Configuration;

namespace Harness.Generations;

/// <summary>
/// The agents of the configuration section <c>Harness:Agents</c>: what has members of its own there is an agent by that id, what is a plain
/// value is a setting of <see cref="AgentOptions"/>. An agent has the members of its YAML file; a plain value is read as YAML reads it.
/// </summary>
internal static class AgentSection
{
    private static readonly string[] Settings = [.. typeof(AgentOptions).GetProperties().Select(property => property.Name)];

    /// <summary>All of them, by id.</summary>
    /// <exception cref="AgentException">Something is neither, or an agent is misspelt; says where and what to change.</exception>
    public static IReadOnlyList<AgentDefinition> Read(IConfiguration configuration)
    {
        var agents = new List<AgentDefinition>();
        foreach (var section in configuration.GetSection(AgentOptions.Section).GetChildren())
        {
            var isSetting = Settings.Contains(section.Key, StringComparer.OrdinalIgnoreCase);
            var hasMembers = section.GetChildren().Any();
            if (isSetting && hasMembers)
            {
                throw new AgentException($"{section.Path} is a setting with a plain value, so that no agent can have the id '{section.Key}'");
            }

            if (!isSetting && !hasMembers)
            {
                throw new AgentException(
                    $"{section.Path} is neither a setting nor an agent: settings are {string.Join(", ", Settings)}; "
                    + $"an agent has members, such as {section.Path}:Instructions");
            }

            if (hasMembers)
            {
                agents.Add(AgentFile.Read(ScriptSource.Of(section, AgentFile.Members).Object(AgentFile.Members), section.Key));
            }
        }

        return agents;
    }
}

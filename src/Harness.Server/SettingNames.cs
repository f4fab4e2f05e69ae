using Harness.Agents;
using Harness.Executions;
using Harness.Generations;
using Harness.Storage;
using Harness.Workflows;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>
/// Keeps a server from starting whose sections <c>Harness:…</c> have a name that nobody reads: what is misspelt would be overlooked, API keys and limits
/// among it. Agents see to the names of their own section.
/// </summary>
internal sealed class SettingNames(IConfiguration configuration) : IValidateOptions<ServerOptions>
{
    private const string Root = "Harness";

    private const string Providers = $"{GenerationOptions.Section}:{nameof(GenerationOptions.Providers)}";

    private static readonly Dictionary<string, string[]> Sections = new(StringComparer.OrdinalIgnoreCase)
    {
        [ExecutionOptions.Section] = NamesOf<ExecutionOptions>(),
        [GenerationOptions.Section] = NamesOf<GenerationOptions>(),
        [ServerOptions.Section] = NamesOf<ServerOptions>(),
        [StoreOptions.Section] = NamesOf<StoreOptions>(),
        [WorkflowOptions.Section] = NamesOf<WorkflowOptions>(),
    };

    /// <summary>Names each that is unknown, without its value, and what there is.</summary>
    public ValidateOptionsResult Validate(string? name, ServerOptions options)
    {
        string[] sections = [.. Sections.Keys.Append(AgentOptions.Section).Select(section => section[(Root.Length + 1)..])];
        var unknown = UnknownIn(Root, sections)
            .Concat(Sections.SelectMany(section => UnknownIn(section.Key, section.Value)))
            .Concat(configuration.GetSection(Providers).GetChildren().SelectMany(provider => UnknownIn(provider.Path, NamesOf<ProviderSetting>()))).ToList();
        return unknown.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(unknown);
    }

    private static string[] NamesOf<T>() => [.. typeof(T).GetProperties().Where(property => property.CanWrite).Select(property => property.Name)];

    private IEnumerable<string> UnknownIn(string section, string[] known) =>
        configuration.GetSection(section).GetChildren()
            .Where(setting => !known.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
            .Select(setting => $"{setting.Path} is no setting; {section} has {string.Join(", ", known)}.");
}

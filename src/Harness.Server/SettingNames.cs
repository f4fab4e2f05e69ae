using System.Collections;
using System.Reflection;
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

    private static readonly Dictionary<string, PropertyInfo[]> Sections = new(StringComparer.OrdinalIgnoreCase)
    {
        [ExecutionOptions.Section] = SettingsOf<ExecutionOptions>(),
        [GenerationOptions.Section] = SettingsOf<GenerationOptions>(),
        [ServerOptions.Section] = SettingsOf<ServerOptions>(),
        [StoreOptions.Section] = SettingsOf<StoreOptions>(),
        [WorkflowOptions.Section] = SettingsOf<WorkflowOptions>(),
    };

    /// <summary>Names each that is unknown, without its value, and what there is.</summary>
    public ValidateOptionsResult Validate(string? name, ServerOptions options)
    {
        string[] sections = [.. Sections.Keys.Append(AgentOptions.Section).Select(section => section[(Root.Length + 1)..])];
        var providers = configuration.GetSection(Providers).GetChildren().Select(provider => KeyValuePair.Create(provider.Path, SettingsOf<ProviderSetting>()));
        var wrong = UnknownIn(Root, sections).Concat(Sections.Concat(providers).SelectMany(section => WrongIn(section.Key, section.Value))).ToList();
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static PropertyInfo[] SettingsOf<T>() => [.. typeof(T).GetProperties().Where(property => property.CanWrite)];

    private static bool IsOneValue(Type type) => type == typeof(string) || !type.IsAssignableTo(typeof(IEnumerable));

    private IEnumerable<string> WrongIn(string section, PropertyInfo[] known) =>
        UnknownIn(section, [.. known.Select(setting => setting.Name)]).Concat(
            from setting in known
            where IsOneValue(setting.PropertyType)
            from below in configuration.GetSection($"{section}:{setting.Name}").GetChildren()
            select $"{below.Path} is no setting; {section}:{setting.Name} has one value.");

    private IEnumerable<string> UnknownIn(string section, string[] known) =>
        configuration.GetSection(section).GetChildren()
            .Where(setting => !known.Contains(setting.Key, StringComparer.OrdinalIgnoreCase))
            .Select(setting => $"{setting.Path} is no setting; {section} has {string.Join(", ", known)}.");
}

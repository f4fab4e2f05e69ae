using Harness.Agents;
using Harness.Generations;
using Harness.Server.Safety;
using Harness.Storage;

namespace Harness.Server;

/// <summary>Where settings come from. Later beats earlier: defaults, appsettings and .env, environment, the caller's settings.</summary>
internal static class ServerConfiguration
{
    private const string ApiKeysSection = $"{ServerOptions.Section}:{nameof(ServerOptions.ApiKeys)}";

    private const string ConnectionString = $"{StoreOptions.Section}:{nameof(StoreOptions.ConnectionString)}";

    /// <summary>Adds the sources in that order.</summary>
    /// <param name="configuration">Has the host's own sources already.</param>
    /// <param name="args">Configuration as the host's command line writes it, such as <c>--Harness:Server:Port=9090</c>.</param>
    /// <param name="settings">What the caller decided; beats everything.</param>
    /// <exception cref="AgentException">The file .env is there and cannot be read.</exception>
    public static void AddHarness(
        this IConfigurationManager configuration, string[] args, IReadOnlyCollection<KeyValuePair<string, string?>> settings)
    {
        var file = AgentEnvironment.ReadFile(Path.Combine(Directory.GetCurrentDirectory(), ".env"));
        configuration.AddInMemoryCollection(Translate(file.GetValueOrDefault));
        configuration.AddEnvironmentVariables();

        // Keys are a set, not a list of places: those of the caller replace those of the environment.
        var environment = Translate(Environment.GetEnvironmentVariable);
        var hasKeys = settings.Any(setting => IsApiKey(setting.Key));
        configuration.AddInMemoryCollection(environment.Where(setting => !hasKeys || !IsApiKey(setting.Key)));
        configuration.AddCommandLine(args);
        configuration.AddInMemoryCollection(settings.Select(Conceal));
    }

    private static IEnumerable<KeyValuePair<string, string?>> Translate(Func<string, string?> read)
    {
        var keys = read("HARNESS_API_KEYS")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        var settings = keys.Index().Select(key => KeyValuePair.Create($"{ApiKeysSection}:{key.Index}", (string?)key.Item));
        if (read("HARNESS_STORE") is { Length: > 0 } store)
        {
            settings = settings.Append(KeyValuePair.Create(ConnectionString, (string?)store));
        }

        return settings.Select(Conceal).Concat(AgentEnvironment.Read(read)).Concat(ProviderEnvironment.Read(read));
    }

    private static bool IsApiKey(string name) => name.StartsWith(ApiKeysSection, StringComparison.OrdinalIgnoreCase);

    private static KeyValuePair<string, string?> Conceal(KeyValuePair<string, string?> setting) =>
        IsApiKey(setting.Key) && !string.IsNullOrWhiteSpace(setting.Value)
            ? KeyValuePair.Create(setting.Key, (string?)ApiKeyRing.Conceal(setting.Value))
            : setting;
}

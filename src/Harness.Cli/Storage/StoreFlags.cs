using System.CommandLine;
using System.CommandLine.Parsing;
using Harness.Storage;

namespace Harness.Cli.Storage;

/// <summary>The flags that say where executions are kept.</summary>
internal sealed class StoreFlags
{
    private readonly Option<string> _data;

    private readonly Option<string> _store = new("--store")
    {
        Description = "PostgreSQL instead, such as \"Host=db;Database=harness;Username=harness\" [env: HARNESS_STORE]",
        HelpName = "connection",
    };

    /// <param name="makes">Whether a folder that is missing is made.</param>
    public StoreFlags(bool makes) => _data = new Option<string>("--data")
    {
        Description = $"Folder of the SQLite database{(makes ? "; made when it is missing" : "")} [default: .harness]",
        HelpName = "folder",
    };

    /// <summary>Adds the flags to a command that works on a store itself, or asks a server to.</summary>
    public void AddTo(Command command, ServerFlags server)
    {
        AddTo(command);
        server.AddTo(command);
        command.Validators.Add(result =>
        {
            if (server.IsGiven(result) && IsGiven(result))
            {
                result.AddError("--server excludes --data and --store.");
            }
        });
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_store);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_data) is not null && result.GetResult(_store) is not null)
            {
                result.AddError("--data and --store exclude each other.");
            }
        });
    }

    /// <summary>True when one of them was given.</summary>
    public bool IsGiven(CommandResult result) => result.GetResult(_data) is not null || result.GetResult(_store) is not null;

    /// <summary>As configuration of a server.</summary>
    public IEnumerable<KeyValuePair<string, string?>> ToSettings(ParseResult parsed)
    {
        if (parsed.GetValue(_data) is { } data)
        {
            yield return KeyValuePair.Create(NameOf(nameof(StoreOptions.Data)), (string?)data);

            // A folder that is asked for beats a database that the environment names.
            yield return KeyValuePair.Create(NameOf(nameof(StoreOptions.ConnectionString)), (string?)"");
        }

        if (parsed.GetValue(_store) is { } store)
        {
            yield return KeyValuePair.Create(NameOf(nameof(StoreOptions.ConnectionString)), (string?)store);
        }
    }

    /// <summary>A store that is there already; for commands that work on it themselves.</summary>
    /// <exception cref="RunException">There is none in that folder.</exception>
    public StoreOptions ToOptions(ParseResult parsed)
    {
        var connection = parsed.GetValue(_store) ?? (parsed.GetValue(_data) is null ? Environment.GetEnvironmentVariable("HARNESS_STORE") : null);
        var options = new StoreOptions { ConnectionString = connection };
        options.Data = parsed.GetValue(_data) ?? options.Data;

        // To open it would make one: with a reserve of 32 MiB, in a folder that was mistyped.
        return StoreFactory.DescribeMissing(options) is { } missing ? throw new RunException(missing) : options;
    }

    /// <summary>The name of a setting of the store.</summary>
    public static string NameOf(string setting) => $"{StoreOptions.Section}:{setting}";
}

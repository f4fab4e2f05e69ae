using System.CommandLine;
using System.CommandLine.Parsing;
using Harness.Cli.Hub;

namespace Harness.Cli;

/// <summary>The flags that say which server is meant, and its key.</summary>
internal sealed class ServerFlags
{
    /// <summary>Where <c>harness server</c> listens when nothing is said.</summary>
    private const string DefaultServer = "http://localhost:8080";

    // What stands on a command line is seen by everybody on the machine.
    private const string KeyVariable = "HARNESS_API_KEY";

    private readonly Option<string> _server;
    private readonly Option<string> _apiKey = new("--api-key") { Description = $"Key of that server [env: {KeyVariable}]", HelpName = "key" };

    /// <summary>A server that is there without being named.</summary>
    public ServerFlags()
        : this($"The server (http, https, ws or wss) [default: {DefaultServer}]")
    {
    }

    public ServerFlags(string description)
    {
        _server = new Option<string>("--server", "-s") { Description = description, HelpName = "url" };
        _server.Validators.Add(CheckServer);
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_server);
        command.Options.Add(_apiKey);
    }

    /// <summary>True when a server was named.</summary>
    public bool IsGiven(CommandResult result) => result.GetResult(_server) is not null;

    /// <summary>A client of the server that was named; null when none was.</summary>
    public HubClient? ToClient(ParseResult parsed) => parsed.GetValue(_server) is { } server ? ToClient(parsed, server) : null;

    /// <summary>A client of the server that was named, or of the default one.</summary>
    public HubClient ToClientOrDefault(ParseResult parsed) => ToClient(parsed) ?? ToClient(parsed, DefaultServer);

    private HubClient ToClient(ParseResult parsed, string server) => new(new Uri(server), KeyOf(parsed), TimeProvider.System);

    private string? KeyOf(ParseResult parsed) =>
        parsed.GetValue(_apiKey) ?? (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key : null);

    private static void CheckServer(OptionResult result)
    {
        var isAddress = Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https" or "ws" or "wss";
        if (!isAddress)
        {
            result.AddError($"--server takes an address such as http://127.0.0.1:8080 (not '{result.Tokens[0].Value}').");
        }
    }
}

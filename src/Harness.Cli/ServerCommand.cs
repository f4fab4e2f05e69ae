using System.CommandLine;
using System.Globalization;
using Harness.Cli.Storage;
using Harness.Generations;
using Harness.Server;
using Harness.Storage;
using Harness.Workflows;

namespace Harness.Cli;

/// <summary><c>harness server</c>: flags become configuration, the rest is <see cref="HarnessServer"/>.</summary>
internal static class ServerCommand
{
    public const string Examples = """
          harness server                                    Serve this machine on port 8080
          harness server --port 9090 --debug                Another port, and a log that says more
          harness server --host 0.0.0.0 --api-key s3cret    Serve the network, to those who have the key
          harness server --cors-origin https://my.page      Let a web page of another origin connect
          harness server --voiceflow-api-key VF.DM.123.abc  Test a Voiceflow agent instead of the demo agent
          harness server --data /var/lib/harness            Keep executions there instead of in .harness
          harness server --memory                           Keep nothing: gone when the server stops
          harness server --agents samples/agents/named      Serve the agents of a folder, one YAML file each
          harness server --workflows samples/workflows      Serve the workflows of a folder
          harness server --cors=false --swagger=false       As little as possible
        """;

    public static Command Create()
    {
        var port = new Option<int?>("--port", "-p")
        {
            Description = "Port to listen on; 0 takes a free one [default: 8080]",
            HelpName = "port",
            CustomParser = result => Numbers.Parse(result, 0, 65535),
        };
        var host = new Option<string>("--host", "-H")
        {
            Description = "Address to listen on; 0.0.0.0 serves the network [default: 127.0.0.1, with API keys 0.0.0.0]",
            HelpName = "address",
        };
        var debug = new Option<bool>("--debug", "-d") { Description = "Log more: connections, requests, steps" };
        var cors = new Option<bool>("--cors")
        {
            Description = "Let pages of loopback origins and of --cors-origin connect [default: true]",
            HelpName = "true|false",
        };
        var corsOrigin = new Option<string[]>("--cors-origin")
        {
            Description = "A web origin that may connect, or * for all; repeatable",
            HelpName = "origin",
        };
        var swagger = new Option<bool>("--swagger")
        {
            Description = "Serve the API documentation at /swagger/index.html [default: true]",
            HelpName = "true|false",
        };
        var apiKey = new Option<string[]>("--api-key")
        {
            Description = "A key that clients must send; repeatable [env: HARNESS_API_KEYS]",
            HelpName = "key",
        };
        var logFormat = new Option<string>("--log-format") { Description = "Form of the server's own log: text or json [default: text]" };
        logFormat.AcceptOnlyFromAmong("text", "json");
        var synthetic = new Option<bool>("--synthetic") { Description = "Also run executions of the kind 'synthetic', for load tests" };
        var memory = new Option<bool>("--memory") { Description = "Keep executions in memory only: they are gone when the server stops" };
        var durability = new Option<string>("--durability")
        {
            Description = "What clients see survives: commit, a killed server; full, a power cut too; none, neither [default: commit]",
        };
        durability.AcceptOnlyFromAmong("commit", "full", "none");
        var agents = new Option<string>("--agents")
        {
            Description = "Folder of agents that are called by name, one YAML file each",
            HelpName = "dir",
        };
        var workflows = new Option<string>("--workflows") { Description = "A folder of workflows, one in each YAML file", HelpName = "folder" };
        var (agent, store, keep) = (new AgentFlags(), new StoreFlags(makes: true), new KeepFlags(defaults: true));

        var command = new Command("server", "Serves REST and WebSocket clients until Ctrl-C.")
        {
            port, host, debug, cors, corsOrigin, swagger, apiKey, logFormat, synthetic, agents, workflows,
        };
        store.AddTo(command);
        command.Options.Add(memory);
        command.Options.Add(durability);
        keep.AddTo(command);
        agent.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(memory) && store.IsGiven(result))
            {
                result.AddError("--memory excludes --data and --store.");
            }
        });
        command.SetAction((parsed, _) =>
        {
            var settings = new Dictionary<string, string?>(agent.ToSettings(parsed).Concat(store.ToSettings(parsed)).Concat(keep.ToSettings(parsed)));
            Set("Port", port);
            Set("Host", host);
            Set("Debug", debug);
            Set("Cors", cors);
            SetAll("CorsOrigins", corsOrigin);
            Set("Swagger", swagger);
            SetAll("ApiKeys", apiKey);
            Set("LogFormat", logFormat);
            Set("Synthetic", synthetic);
            SetIn(StoreOptions.Section, nameof(StoreOptions.MemoryOnly), memory);
            SetIn(StoreOptions.Section, nameof(StoreOptions.Durability), durability);
            if (parsed.GetValue(agents) is { } agentFolder)
            {
                settings[$"{GenerationOptions.Section}:{nameof(GenerationOptions.AgentFolder)}"] = agentFolder;
            }

            if (parsed.GetValue(workflows) is { } folder)
            {
                settings[$"{WorkflowOptions.Section}:{nameof(WorkflowOptions.Folder)}"] = folder;
            }

            return HarnessServer.RunAsync([], settings);

            void Set<T>(string name, Option<T> option) => SetIn(ServerOptions.Section, name, option);

            void SetIn<T>(string section, string name, Option<T> option)
            {
                if (parsed.GetResult(option) is { Implicit: false })
                {
                    settings[$"{section}:{name}"] = Convert.ToString(parsed.GetValue(option), CultureInfo.InvariantCulture);
                }
            }

            void SetAll(string name, Option<string[]> option)
            {
                foreach (var (index, value) in (parsed.GetValue(option) ?? []).Index())
                {
                    settings[$"{ServerOptions.Section}:{name}:{index}"] = value;
                }
            }
        });
        return command;
    }
}

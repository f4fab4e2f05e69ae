using System.CommandLine;
using System.Globalization;
using Harness.Server;
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
        var workflows = new Option<string>("--workflows") { Description = "A folder of workflows, one in each YAML file", HelpName = "folder" };
        var agent = new AgentFlags();

        var command = new Command("server", "Serves REST and WebSocket clients until Ctrl-C.")
        {
            port, host, debug, cors, corsOrigin, swagger, apiKey, logFormat, synthetic, workflows,
        };
        agent.AddTo(command);
        command.SetAction((parsed, _) =>
        {
            var settings = new Dictionary<string, string?>(agent.ToSettings(parsed));
            Set("Port", port);
            Set("Host", host);
            Set("Debug", debug);
            Set("Cors", cors);
            SetAll("CorsOrigins", corsOrigin);
            Set("Swagger", swagger);
            SetAll("ApiKeys", apiKey);
            Set("LogFormat", logFormat);
            Set("Synthetic", synthetic);
            if (parsed.GetValue(workflows) is { } folder)
            {
                settings[$"{WorkflowOptions.Section}:{nameof(WorkflowOptions.Folder)}"] = folder;
            }

            return HarnessServer.RunAsync([], settings);

            void Set<T>(string name, Option<T> option)
            {
                if (parsed.GetResult(option) is { Implicit: false })
                {
                    settings[$"{ServerOptions.Section}:{name}"] = Convert.ToString(parsed.GetValue(option), CultureInfo.InvariantCulture);
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

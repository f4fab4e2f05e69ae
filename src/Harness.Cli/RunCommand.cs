using System.CommandLine;
using System.CommandLine.Parsing;
using Harness.Cli.Runs;
using Harness.Suites;

namespace Harness.Cli;

/// <summary><c>harness run PATH</c>: one suite or workflow, here or on a server, watched to its end.</summary>
internal static class RunCommand
{
    public const string Examples = """
          harness run samples/suites/pizza                   Run a folder with a suite.yaml
          harness run suite.json --output junit result.xml   A JSON suite, with a report for the build server
          harness run suites/shop --agent voiceflow -x KEY   Test a Voiceflow agent
          harness run suites/shop --fail-fast=false          Go on after the first test that failed
          harness run suites/shop --parallel 4               Run four tests at once
          harness run suites/shop --server http://hub:8080   Run it on a server, watch it from here
          harness run order.yaml --input '{"amount":5}'      Run a workflow's file, without a server
          harness run order-approval --workflows samples/workflows --input @order.json
                                                             Run a workflow of a folder by its id, without a server
          harness run order-approval --input '{"amount":5}'  Run a workflow of a server by its id
          harness run nightly --server http://hub:8080       Without an input

        Exit codes: 0 all tests passed or the workflow completed, 1 a test failed or the workflow did not complete,
        2 nothing could be run, 130 Ctrl-C.
        Ctrl-C cancels a suite, also one on a server, and a workflow that runs here, and waits for the result; a second Ctrl-C ends at once.
        A workflow on a server goes on after Ctrl-C.
        A workflow that runs here ends when it is suspended: to be resumed later it has to run on a server.
        """;

    private static readonly string[] OutputFormats = ["json", "junit"];

    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "A folder with suite.yaml, a YAML file or a JSON file; or a workflow: its YAML file, or its id" };
        var output = new Option<string[]>("--output", "-o")
        {
            Description = "Write a report: json FILE or junit FILE; repeatable",
            HelpName = "json|junit> <file",
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        output.Validators.Add(CheckOutput);
        var server = new ServerFlags("Run on this server instead of here (http, https, ws or wss)");
        var failFast = new Option<bool>("--fail-fast") { Description = "Stop at the first test that fails [default: as the suite says]", HelpName = "true|false" };
        var parallel = new Option<int?>("--parallel")
        {
            Description = $"Tests that run at once, 1 to {Suite.MaxParallel} [default: as the suite says]",
            HelpName = "n",
            CustomParser = result => Numbers.Parse(result, 1, Suite.MaxParallel),
        };
        var input = new Option<string>("--input", "-i") { Description = "Run a workflow with this input, as JSON or @FILE", HelpName = "json" };
        var workflows = new Option<string>("--workflows") { Description = "Run a workflow of this folder here, by its id", HelpName = "folder" };
        var agents = new Option<string>("--agents") { Description = "Folder of the agents that a workflow here asks by name", HelpName = "folder" };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Show the time of each line, and the execution's id" };
        var agent = new AgentFlags();

        var command = new Command("run", "Runs a test suite or a workflow and shows it live.")
        {
            path, output, failFast, parallel, input, workflows, agents, verbose,
        };
        server.AddTo(command);
        agent.AddTo(command);
        command.Validators.Add(result =>
        {
            var isFile = LocalWorkflow.IsFile(result.GetValue(path) ?? "", result.GetResult(input) is not null);
            var isFolder = result.GetResult(workflows) is not null;
            if (server.IsGiven(result) && (isFile || isFolder))
            {
                result.AddError("A workflow of a file or a --workflows folder runs here: on a server name one of its workflows by id, without --workflows.");
            }

            var name = result.GetValue(path) ?? "";
            if (result.GetResult(input) is not null && !isFile && !isFolder && Path.Exists(name) && !(server.IsGiven(result) && IsWord(name)))
            {
                result.AddError(
                    $"A suite takes no --input, and '{name}' is a file or folder here. A workflow of a server with this id needs --server.");
            }

            if (result.GetResult(agents) is not null && !isFile && !isFolder)
            {
                result.AddError("--agents goes with a workflow that runs here: name its file, or its folder with --workflows.");
            }
        });
        command.SetAction((parsed, _) =>
        {
            var (name, folder, json) = (parsed.GetRequiredValue(path), parsed.GetValue(workflows), parsed.GetValue(input));
            var outputs = (parsed.GetValue(output) ?? []).Chunk(2).Select(pair => new RunOutput(pair[0], pair[1])).ToList();
            var isHere = folder is not null || LocalWorkflow.IsFile(name, json is not null);
            var isOnServer = !isHere && (json is not null || (server.IsGiven(parsed.CommandResult) && MayBeId(name)));
            return isOnServer
                ? WorkflowSession.RunAsync(server.ToClientOrDefault(parsed), name, json, outputs, parsed.GetValue(verbose))
                : RunSession.RunAsync(new RunRequest
                {
                    Path = name,
                    Workflow = isHere ? new LocalWorkflow(name, folder, parsed.GetValue(agents), json) : null,
                    Outputs = outputs,
                    Server = server.ToClient(parsed),
                    FailFast = parsed.GetResult(failFast) is { Implicit: false } ? parsed.GetValue(failFast) : null,
                    Parallel = parsed.GetValue(parallel),
                    Verbose = parsed.GetValue(verbose),
                    AgentFlags = new Dictionary<string, string?>(agent.ToSettings(parsed)),
                });
        });
        return command;
    }

    // One word that is no file: not a path that was mistyped.
    private static bool MayBeId(string name) => !Path.Exists(name) && IsWord(name);

    private static bool IsWord(string name) =>
        name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');

    private static void CheckOutput(OptionResult result)
    {
        foreach (var pair in result.Tokens.Chunk(2))
        {
            if (pair.Length == 2 && pair[1].Value.Length == 0)
            {
                result.AddError($"--output {pair[0].Value} needs the name of a file (it is empty).");
            }
            else if (pair.Length == 2 && (Directory.Exists(pair[1].Value) || Path.EndsInDirectorySeparator(pair[1].Value)))
            {
                result.AddError($"--output {pair[0].Value} needs the name of a file ({pair[1].Value} is a folder).");
            }
            else if (pair.Length < 2 || !OutputFormats.Contains(pair[0].Value))
            {
                result.AddError($"--output takes a format and a file, such as: --output junit result.xml (not '{pair[0].Value}').");
            }
        }
    }
}

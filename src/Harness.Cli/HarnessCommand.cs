using System.CommandLine;
using System.CommandLine.Invocation;
using Harness.Cli.Storage;

namespace Harness.Cli;

/// <summary>The <c>harness</c> command with its subcommands.</summary>
internal static class HarnessCommand
{
    private const string Examples = """
          harness run samples/suites/pizza    Run a suite here and now
          harness server                      Serve http://127.0.0.1:8080 and ws://127.0.0.1:8080/ws
          harness list                        What runs and ran on that server
          harness watch ID                    Watch one of them live
          harness export ID                   What it said, as a file
          harness run --help                  More examples of one command
        """;

    public static async Task<int> InvokeAsync(string[] args)
    {
        // A value that begins with @ names a file of its flag, not one with more arguments.
        var parsed = Create().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

        // The commands answer signals themselves: a run waits for its result, a server for its executions.
        var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null };
        if (parsed.Action is not ParseErrorAction usageError)
        {
            return await parsed.InvokeAsync(configuration);
        }

        // Two screens of help would hide the one line that says what is wrong; only a bare `harness` gets them.
        usageError.ShowHelp = args.Length == 0;
        await parsed.InvokeAsync(configuration);
        await configuration.Error.WriteLineAsync($"See: {CommandLineOf(parsed.CommandResult.Command)} --help");
        return ExitCode.CouldNotRun;
    }

    private static string CommandLineOf(Command command) => command is RootCommand ? "harness" : $"harness {command.Name}";

    private static RootCommand Create()
    {
        var run = RunCommand.Create();
        var server = ServerCommand.Create();
        var (watch, resume, cancel, list) = (WatchCommand.Create(), ResumeCommand.Create(), CancelCommand.Create(), ListCommand.Create());
        var (export, gc) = (ExportCommand.Create(), GcCommand.Create());
        var root = new RootCommand("Runs conversation test suites against an agent, and lets anyone watch each run live.")
        {
            run, server, watch, resume, cancel, list, export, gc,
        };
        HelpWithExamples.Add(root, new Dictionary<Command, string>
        {
            [root] = Examples,
            [run] = RunCommand.Examples,
            [server] = ServerCommand.Examples,
            [watch] = WatchCommand.Examples,
            [resume] = ResumeCommand.Examples,
            [cancel] = CancelCommand.Examples,
            [list] = ListCommand.Examples,
            [export] = ExportCommand.Examples,
            [gc] = GcCommand.Examples,
        });
        return root;
    }
}

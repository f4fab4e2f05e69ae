using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Harness.Cli;

/// <summary>The usual help of a command, and below it commands to copy.</summary>
internal sealed class HelpWithExamples(SynchronousCommandLineAction help, IReadOnlyDictionary<Command, string> examples)
    : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    /// <summary>Subcommands inherit the root's help option, so its one action has the examples of all of them.</summary>
    public static void Add(RootCommand root, IReadOnlyDictionary<Command, string> examples)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        option.Action = new HelpWithExamples((SynchronousCommandLineAction)option.Action!, examples);
    }

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        if (examples.TryGetValue(parseResult.CommandResult.Command, out var text))
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"Examples:{Environment.NewLine}{text}{Environment.NewLine}");
        }

        return exitCode;
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using Harness.Cli.Hub;
using Harness.Executions;

namespace Harness.Cli;

/// <summary><c>harness list</c>: what runs and ran on a server.</summary>
internal static class ListCommand
{
    public const string Examples = """
          harness list                               All executions the server knows, the newest first
          harness list --status running              Those that run now
          harness list --label team=shop             Those with this label; repeatable
          harness list --json | head -1              One JSON object per line, with everything there is
          harness list --server http://hub:8080      On another machine
        """;

    public static Command Create()
    {
        var status = new Option<string>("--status") { Description = "Only those that stand so" };
        status.AcceptOnlyFromAmong([.. Enum.GetValues<ExecutionStatus>().Select(ExecutionStatusWords.ToWire)]);
        var kind = new Option<string>("--kind") { Description = "Only those of this kind", HelpName = "name" };
        var label = new Option<string[]>("--label") { Description = "Only those with this label; repeatable", HelpName = "name=value" };
        label.Validators.Add(CheckLabel);
        var json = new Option<bool>("--json") { Description = "One JSON object per line instead of a table" };
        var server = new ServerFlags();

        var command = new Command("list", "Lists the executions on a server.") { status, kind, label, json };
        server.AddTo(command);
        command.SetAction((parsed, _) =>
        {
            var filter = new ListFilter(parsed.GetValue(status), parsed.GetValue(kind), ToLabels(parsed.GetValue(label) ?? []));
            var client = server.ToClientOrDefault(parsed);
            return CommandSession.RunAsync(stop => parsed.GetValue(json) ? PrintAsync(client, filter, stop) : ShowAsync(client, filter, stop));
        });
        return command;
    }

    private static Dictionary<string, string> ToLabels(string[] labels)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in labels)
        {
            var at = label.IndexOf('=', StringComparison.Ordinal);
            result[label[..at]] = label[(at + 1)..];
        }

        return result;
    }

    private static void CheckLabel(OptionResult result)
    {
        if (result.Tokens.FirstOrDefault(token => token.Value.IndexOf('=', StringComparison.Ordinal) < 1) is { } wrong)
        {
            result.AddError($"--label takes a name and a value, such as: --label team=shop (not '{wrong.Value}').");
        }
    }

    private static async Task<int> PrintAsync(HubClient client, ListFilter filter, CancellationToken cancellationToken)
    {
        await foreach (var item in client.ListAsync(filter, cancellationToken))
        {
            Console.WriteLine(item.GetRawText());
        }

        return ExitCode.Passed;
    }

    private static async Task<int> ShowAsync(HubClient client, ListFilter filter, CancellationToken cancellationToken)
    {
        var view = ListView.OnConsole();
        await foreach (var item in client.ListAsync(filter, cancellationToken))
        {
            view.Add(item);
        }

        view.Show();
        return ExitCode.Passed;
    }
}

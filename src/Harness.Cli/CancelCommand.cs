using System.CommandLine;
using Harness.Cli.Hub;

namespace Harness.Cli;

/// <summary><c>harness cancel ID…</c>: ends executions on a server, whoever started them.</summary>
internal static class CancelCommand
{
    public const string Examples = """
          harness cancel 3f0c…                             End one
          harness cancel 3f0c… 77ab… --reason "wrong key"  End two, and say why
          harness cancel 3f0c… --server http://hub:8080    On another machine

        Exit codes: 0 all are cancelled, 1 one had ended before, 2 there is no such execution, or no server.
        """;

    public static Command Create()
    {
        var ids = new Argument<string[]>("id") { Description = "Ids of executions", Arity = ArgumentArity.OneOrMore };
        var reason = new Option<string>("--reason") { Description = "Why, for those who watch", HelpName = "text" };
        var server = new ServerFlags();

        var command = new Command("cancel", "Cancels executions on a server.") { ids, reason };
        server.AddTo(command);
        command.SetAction((parsed, _) => CommandSession.RunAsync(stop => CancelAsync(
            server.ToClientOrDefault(parsed), parsed.GetRequiredValue(ids), parsed.GetValue(reason), stop)));
        return command;
    }

    private static async Task<int> CancelAsync(
        HubClient client, IReadOnlyList<string> ids, string? reason, CancellationToken cancellationToken)
    {
        var exitCode = ExitCode.Passed;
        foreach (var id in ids)
        {
            var answer = await client.CancelAsync(id, reason, cancellationToken);
            if (answer.Type != "error")
            {
                Console.WriteLine($"Cancelled {id}");
                continue;
            }

            await Console.Error.WriteLineAsync($"{id}: {answer.Message}");
            exitCode = Math.Max(exitCode, answer.Json.Text("code") == "not_running" ? ExitCode.Failed : ExitCode.CouldNotRun);
        }

        return exitCode;
    }
}

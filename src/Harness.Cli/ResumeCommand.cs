using System.CommandLine;
using System.Text.Json;
using Harness.Cli.Hub;
using Harness.Cli.Runs;

namespace Harness.Cli;

/// <summary><c>harness resume ID</c>: lets a suspended execution on a server go on.</summary>
internal static class ResumeCommand
{
    public const string Examples = """
          harness resume 3f0c…                               Let it go on where it stopped
          harness resume 3f0c… --data '{"approved":true}'    With what it waits for
          harness resume 3f0c… --data @decision.json         With what is in a file
          harness resume 3f0c… --step check                  From another step on
          harness resume 3f0c… --watch                       And show it to its end

        Exit codes: 0 it goes on (with --watch: it completed), 1 it is not suspended (with --watch: it failed),
        2 there is none, no server, or it cannot go on with that data.
        """;

    public static Command Create()
    {
        var id = new Argument<string>("id") { Description = "The execution's id" };
        var data = new Option<string>("--data") { Description = "What it goes on with, as JSON or @FILE", HelpName = "json" };
        var step = new Option<string>("--step") { Description = "Where to go on [default: where it stopped]", HelpName = "id" };
        var watch = new Option<bool>("--watch", "-w") { Description = "Show it live from here on" };
        var server = new ServerFlags();

        var command = new Command("resume", "Lets a suspended execution on a server go on.") { id, data, step, watch };
        server.AddTo(command);
        command.SetAction((parsed, _) => CommandSession.RunAsync(stop => ResumeAsync(
            server.ToClientOrDefault(parsed),
            parsed.GetRequiredValue(id),
            JsonArgument.Read("--data", parsed.GetValue(data)),
            parsed.GetValue(step),
            parsed.GetValue(watch),
            stop)));
        return command;
    }

    private static async Task<int> ResumeAsync(
        HubClient client, string id, JsonElement data, string? step, bool watches, CancellationToken cancellationToken)
    {
        // From here on: what it has said is there for `harness watch`.
        await using var watch = client.Watch(id, tail: 0);
        if (watches)
        {
            await watch.BeginAsync(cancellationToken);
        }

        var answer = await client.ResumeAsync(id, data, step, cancellationToken);
        if (answer.Type == "error")
        {
            await Console.Error.WriteLineAsync($"{id}: {answer.Message}");
            return answer.Json.Text("code") == "not_suspended" ? ExitCode.Failed : ExitCode.CouldNotRun;
        }

        Console.WriteLine($"Resumed {id}");
        return watches
            ? await WatchCommand.ShowAsync(client, watch, RunView.OnConsole(verbose: false), cancellationToken)
            : ExitCode.Passed;
    }
}

using System.CommandLine;
using Harness.Cli.Hub;
using Harness.Cli.Runs;

namespace Harness.Cli;

/// <summary><c>harness watch ID</c>: an execution on a server, shown live to its end; whoever started it, whenever.</summary>
internal static class WatchCommand
{
    public const string Examples = """
          harness list                                   Which executions there are, with their ids
          harness watch 3f0c…                            Show one from its first line, then live
          harness watch 3f0c… --tail 20                  Only the newest twenty events, then live
          harness watch 3f0c… --from 400                 From event 400 on
          harness watch 3f0c… --server http://hub:8080   On another machine

        Exit codes: 0 it completed, 1 it failed or was cancelled, 2 there is none or no server, 130 Ctrl-C,
        141 nobody reads the output any more.
        A lost connection is replaced and goes on after the last line shown. Ctrl-C ends the watching, not the execution.
        """;

    public static Command Create()
    {
        var id = new Argument<string>("id") { Description = "The execution's id" };
        var from = new Option<int?>("--from")
        {
            Description = "Begin with the event of this number [default: 1]",
            HelpName = "n",
            CustomParser = result => Numbers.Parse(result, 1, int.MaxValue),
        };
        var tail = new Option<int?>("--tail")
        {
            Description = "Begin with so many of the newest events",
            HelpName = "n",
            CustomParser = result => Numbers.Parse(result, 1, int.MaxValue),
        };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Show the time of each line, and the execution's id" };
        var server = new ServerFlags();

        var command = new Command("watch", "Shows an execution on a server live.") { id, from, tail, verbose };
        server.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(from) is not null && result.GetResult(tail) is not null)
            {
                result.AddError("--from and --tail exclude each other.");
            }
        });
        command.SetAction((parsed, _) =>
        {
            var client = server.ToClientOrDefault(parsed);
            var watch = client.Watch(parsed.GetRequiredValue(id), parsed.GetValue(from) ?? 1, parsed.GetValue(tail));
            return CommandSession.RunAsync(
                stop => ShowAsync(client, watch, RunView.OnConsole(parsed.GetValue(verbose)), stop),
                onInterrupt: $"No longer watching; the execution goes on. To end it: harness cancel {watch.Id}");
        });
        return command;
    }

    /// <summary>Shows an execution to its end.</summary>
    /// <returns>The exit code of its result.</returns>
    public static Task<int> ShowAsync(HubClient client, ExecutionWatch watch, RunView view, CancellationToken cancellationToken) =>
        ShowAsync(client, watch, view, watch.Id, outputs: [], cancellationToken);

    /// <summary>Shows an execution to its end, and writes reports of it under this name.</summary>
    /// <returns>The exit code of its result.</returns>
    /// <exception cref="RunException">It cannot be watched, or a report cannot be written.</exception>
    public static async Task<int> ShowAsync(
        HubClient client, ExecutionWatch watch, RunView view, string name, IReadOnlyList<RunOutput> outputs, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        await using var run = new RemoteRun(client, watch);
        var result = await view.WatchAsync(name, interactions: 0, run, outputs.Count > 0 ? lines.Add : _ => { }, cancellationToken);

        var report = RunReport.From(name, result.Data);
        view.ShowReport(report);
        view.ShowOutput(result.Data);
        await RunOutput.WriteAllAsync(outputs, report, lines);
        return report.ExitCode;
    }
}

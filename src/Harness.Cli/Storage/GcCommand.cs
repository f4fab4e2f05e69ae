using System.CommandLine;
using System.Runtime.ExceptionServices;
using Harness.Cli.Hub;
using Harness.Executions;
using Harness.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harness.Cli.Storage;

/// <summary><c>harness gc</c>: deletes what need not be kept, now instead of by and by.</summary>
internal static class GcCommand
{
    public const string Examples = """
          harness gc --keep-for 7d                            In .harness of this folder: delete what ended over a week ago
          harness gc --data /var/lib/harness --keep-count 500 In that folder: keep the newest 500
          harness gc --keep-size 2GiB                         Delete the oldest until 2 GiB are left
          harness gc --server http://hub:8080 --keep-for 1d   The same on a server while it works

        A folder that a server uses can only be worked on by that server: use --server then.
        """;

    public static Command Create()
    {
        var (store, keep, server) = (new StoreFlags(makes: false), new KeepFlags(defaults: false), new ServerFlags("Ask this server to do it"));
        var command = new Command("gc", "Deletes executions that have ended and need not be kept.");
        keep.AddTo(command);
        store.AddTo(command, server);
        command.Validators.Add(result =>
        {
            if (!keep.IsGiven(result))
            {
                result.AddError("Say what is to be kept: --keep-for 7d, --keep-count 500 or --keep-size 2GiB.");
            }
        });
        command.SetAction((parsed, _) => CommandSession.RunAsync(async stop =>
        {
            var (deleted, trimmed, bytes) = server.ToClient(parsed) is { } client
                ? await AskAsync(client, keep.ToRequest(parsed), stop)
                : await SweepAsync(store.ToOptions(parsed), keep.ToRule(parsed, DateTimeOffset.UtcNow), stop);
            Console.WriteLine($"{deleted} executions deleted, {trimmed} that run lost their oldest events, {bytes} bytes in all");
            return ExitCode.Passed;
        }));
        return command;
    }

    private static async Task<(long Deleted, long Trimmed, long Bytes)> AskAsync(
        HubClient client, Dictionary<string, object> request, CancellationToken cancellationToken)
    {
        using var rest = client.ToRest();
        var answer = await rest.PostAsync("api/v1/executions/sweep", request, cancellationToken);
        return (answer.Whole("deleted") ?? 0, answer.Whole("trimmed") ?? 0, answer.Whole("bytes") ?? 0);
    }

    private static async Task<(long Deleted, long Trimmed, long Bytes)> SweepAsync(
        StoreOptions options, RetentionRule rule, CancellationToken cancellationToken)
    {
        try
        {
            await using var store = StoreFactory.Create(options, NullLoggerFactory.Instance, TimeProvider.System);
            await store.OpenAsync(cancellationToken);
            var outcome = await store.SweepAsync(rule, cancellationToken);
            if (outcome.Failure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            return (outcome.Deleted.Count, outcome.Trimmed.Count, outcome.Bytes);
        }
        catch (StoreException e)
        {
            throw new RunException(e.Message, e);
        }
    }
}

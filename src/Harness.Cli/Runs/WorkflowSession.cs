using System.Text.Json;
using Harness.Cli.Hub;

namespace Harness.Cli.Runs;

/// <summary>One workflow, run on a server and watched from here. Unlike a suite it goes on when nobody watches any more.</summary>
internal static class WorkflowSession
{
    /// <param name="client">The server.</param>
    /// <param name="workflow">The workflow's id.</param>
    /// <param name="input">Its input, as JSON or <c>@FILE</c>; null: none.</param>
    /// <param name="outputs">The reports to write when it has ended.</param>
    /// <param name="verbose">Show times and the execution's id.</param>
    public static Task<int> RunAsync(HubClient client, string workflow, string? input, IReadOnlyList<RunOutput> outputs, bool verbose)
    {
        var id = "ID";
        return CommandSession.RunAsync(
            async stop =>
            {
                var watch = await StartAsync(client, workflow, input, stop);
                id = watch.Id;
                return await WatchCommand.ShowAsync(client, watch, RunView.OnConsole(verbose), workflow, outputs, stop);
            },
            () => $"No longer watching; the workflow goes on. To end it: harness cancel {id}");
    }

    private static async Task<ExecutionWatch> StartAsync(HubClient client, string workflow, string? input, CancellationToken cancellationToken)
    {
        var data = new Dictionary<string, object> { ["workflow"] = workflow };
        if (input is not null)
        {
            data["input"] = JsonArgument.Read("--input", input);
        }

        try
        {
            return await client.ExecuteAsync("workflow", JsonSerializer.SerializeToElement(data), cancellationToken);
        }
        catch (RunException exception) when (input is null && exception is not ConnectionLostException)
        {
            throw new RunException($"{exception.Message}. (There is no file or folder '{workflow}' here, so it was taken for the id of a workflow.)", exception);
        }
    }
}

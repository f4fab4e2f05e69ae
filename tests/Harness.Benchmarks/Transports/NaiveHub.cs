using System.Text.Json;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Benchmarks.Transports;

/// <summary>The naive server as a SignalR group for each run.</summary>
internal sealed class NaiveHub(IHubContext<NaiveHub> hub) : Hub
{
    public Task Execute(JsonElement data) =>
        JoinAsync(NaiveServer.Start(data, (run, line) => hub.Clients.Group(run.Id).SendAsync("event", line)));

    public Task Subscribe(string id) => JoinAsync(NaiveServer.Find(id));

    private async Task JoinAsync(NaiveRun run)
    {
        await Groups.AddToGroupAsync(Context.ConnectionId, run.Id);
        await Clients.Caller.SendAsync("event", run.Opening);
        run.Add(null);
    }
}

using System.Text.Json;
using Harness.Cli.Hub;
using Harness.Executions;

namespace Harness.Cli.Runs;

/// <summary>
/// An execution on a server, watched over <c>/ws</c>; a lost connection is replaced. Any server that speaks the Voiceflow CLI's protocol
/// will do, but those without sequences cannot be come back to.
/// </summary>
internal sealed class RemoteRun(HubClient client, ExecutionWatch watch) : ISuiteRun
{
    public string Place => client.Address.ToString();

    public string ToResume(string id) => $"To go on: harness resume {id} --data JSON";

    /// <param name="client">The server.</param>
    /// <param name="request">The test execution request as UTF-8 JSON.</param>
    /// <param name="cancellationToken">Ends the wait for the server's first answer.</param>
    /// <exception cref="RunException">The server cannot be reached, or refuses the suite.</exception>
    public static async Task<RemoteRun> StartAsync(HubClient client, ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        new(client, await client.ExecuteAsync(kind: null, JsonElement.Parse(request.Span, JsonDepth.Kept), cancellationToken));

    public IAsyncEnumerable<HubEvent> ReadAsync(CancellationToken cancellationToken) => watch.ReadAsync(cancellationToken);

    // A lost race (cancelling what has just ended) is answered by an error, and its result comes all the same.
    public Task CancelAsync() => client.CancelAsync(watch.Id, reason: null, CancellationToken.None);

    public ValueTask DisposeAsync() => watch.DisposeAsync();
}

using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Harness.Cli.Hub;

/// <summary>
/// A client of a server's <c>/ws</c>. Whoever starts or watches gets a connection of his own, which is replaced when it is lost; other
/// questions take one for as long as they last. Thread-safe.
/// </summary>
/// <param name="server">http(s) or ws(s), with or without <c>/ws</c>.</param>
/// <param name="apiKey">The server's key; null for none.</param>
/// <param name="time">The clock of the waits between tries.</param>
internal sealed class HubClient(Uri server, string? apiKey, TimeProvider time)
{
    private const int PageItems = 500;

    /// <summary>The address of the socket.</summary>
    public Uri Address { get; } = SocketAddress(server);

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>The address of the socket of a server that is named in any of the usual ways.</summary>
    public static Uri SocketAddress(Uri server)
    {
        var path = server.AbsolutePath.TrimEnd('/');
        return new UriBuilder(server)
        {
            Scheme = server.Scheme is "https" or "wss" ? "wss" : "ws",
            Path = path.EndsWith("/ws", StringComparison.Ordinal) ? path : $"{path}/ws",
        }.Uri;
    }

    /// <summary>A client of the same server's REST routes.</summary>
    public RestClient ToRest() => new(Address, apiKey);

    /// <summary>Opens a connection, in one try.</summary>
    public Task<HubConnection> OpenAsync(CancellationToken cancellationToken) => HubConnection.OpenAsync(Address, apiKey, cancellationToken);

    /// <summary>Starts an execution. A lost answer is asked for again with the same key, so that nothing is started twice.</summary>
    /// <param name="kind">What is executed; null: a suite.</param>
    /// <param name="data">The request of that kind.</param>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <exception cref="RunException">The server cannot be reached, or refuses.</exception>
    public async Task<ExecutionWatch> ExecuteAsync(string? kind, JsonElement data, CancellationToken cancellationToken)
    {
        var key = Guid.NewGuid().ToString();
        HubConnection? connection = await OpenAsync(cancellationToken);
        if (!connection.CanResume)
        {
            return await ExecuteOnceAsync(connection, new { action = "execute", data }, cancellationToken);
        }

        var command = new { action = "execute", kind = kind ?? "suite", data, idempotency_key = key, watch = false, @ref = "execute" };
        var backoff = new Backoff(time);
        while (true)
        {
            try
            {
                return await ExecuteOnceAsync(connection ?? await OpenAsync(cancellationToken), command, cancellationToken);
            }
            catch (ConnectionLostException lost) when (backoff.Next(lost.RetryAfter) is { } wait)
            {
                connection = null;
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    /// <summary>Watches an execution from its first event that is wanted to its result.</summary>
    /// <param name="id">Which one.</param>
    /// <param name="from">The first sequence wanted.</param>
    /// <param name="tail">So many of the newest events instead; null for <paramref name="from"/>.</param>
    public ExecutionWatch Watch(string id, long from = 1, long? tail = null) => new(this, id, from, tail);

    /// <summary>Cancels an execution.</summary>
    /// <returns>The answer: a <c>status</c>, or an <c>error</c> with a <c>code</c> when there is none or it had ended.</returns>
    /// <exception cref="RunException">The server cannot be reached.</exception>
    public async Task<HubEvent> CancelAsync(string id, string? reason, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        return await connection.AskAsync(
            reason is null ? new { action = "cancel", id } : new { action = "cancel", id, reason }, cancellationToken);
    }

    /// <summary>Lets a suspended execution go on.</summary>
    /// <param name="id">Which one.</param>
    /// <param name="data">What it goes on with; undefined: nothing.</param>
    /// <param name="at">Where; null: where it stopped.</param>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <returns>The answer: a <c>status</c>, or an <c>error</c> with a <c>code</c>.</returns>
    /// <exception cref="RunException">The server cannot be reached.</exception>
    public async Task<HubEvent> ResumeAsync(string id, JsonElement data, string? at, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        return await connection.AskAsync(
            data.ValueKind == JsonValueKind.Undefined ? new { action = "resume", id, at } : new { action = "resume", id, data, at }, cancellationToken);
    }

    /// <summary>The executions there are, the newest first.</summary>
    /// <exception cref="RunException">The server cannot be reached, or the filter is wrong.</exception>
    public async IAsyncEnumerable<JsonElement> ListAsync(ListFilter filter, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        string? cursor = null;
        do
        {
            var page = await connection.AskAsync(
                new { action = "list", filter = new { status = filter.Status, kind = filter.Kind, labels = filter.Labels }, cursor, limit = PageItems },
                cancellationToken);
            if (page.Type != "list")
            {
                throw new RunException(
                    connection.CanResume ? $"{Address} refuses the list: {page.Message}" : $"{Address} is an older server that has no lists.");
            }

            foreach (var item in page.Json.GetProperty("items").EnumerateArray())
            {
                yield return item;
            }

            cursor = page.Json.Text("next");
        }
        while (cursor is not null);
    }

    private async Task<ExecutionWatch> ExecuteOnceAsync(HubConnection connection, object command, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await connection.AskAsync(command, cancellationToken);
            return answer.Type == "error" || answer.Id is null
                ? throw new RunException($"{Address} refuses it: {answer.Message}")
                : new ExecutionWatch(this, answer.Id, connection, answer);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

/// <summary>Which executions a list has.</summary>
/// <param name="Status">Only these; null: all.</param>
/// <param name="Kind">Only these; null: all.</param>
/// <param name="Labels">Only those that have all of them.</param>
internal sealed record ListFilter(string? Status, string? Kind, IReadOnlyDictionary<string, string> Labels);

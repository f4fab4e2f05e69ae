using System.Runtime.CompilerServices;
using Harness.Cli.Hub;
using Harness.Executions;
using Harness.Storage;

namespace Harness.Cli.Storage;

/// <summary>The events of one execution, from a server or from where a server keeps them.</summary>
internal sealed class ExecutionExport : IAsyncDisposable
{
    private readonly IExecutionStore? _store;
    private readonly StoredExecution? _execution;
    private readonly HubClient? _client;

    private ExecutionExport(string id, string name, IExecutionStore? store, StoredExecution? execution, HubClient? client) =>
        (Id, Name, _store, _execution, _client) = (id, name, store, execution, client);

    /// <summary>The execution's id.</summary>
    public string Id { get; }

    /// <summary>Its name; of a server's it is known after the first event.</summary>
    public string Name { get; private set; }

    /// <summary>One that a server has.</summary>
    public static ExecutionExport Of(HubClient client, string id) => new(id, id, null, null, client);

    /// <summary>One in a store, which is only read.</summary>
    /// <exception cref="RunException">There is no such execution, or the store cannot be read.</exception>
    public static async Task<ExecutionExport> OpenAsync(StoreOptions options, string id, CancellationToken cancellationToken)
    {
        IExecutionStore? store = null;
        try
        {
            store = StoreFactory.CreateReadOnly(options);
            await store.OpenAsync(cancellationToken);
            var execution = await store.FindAsync(id, cancellationToken)
                ?? throw new RunException($"There is no execution {id} {StoreFactory.Describe(options)}.");
            return new ExecutionExport(id, execution.Name, store, execution, null);
        }
        catch (Exception e) when (e is StoreException or RunException)
        {
            if (store is not null)
            {
                await store.DisposeAsync();
            }

            throw e as RunException ?? new RunException(e.Message, e);
        }
    }

    /// <summary>Every event there is, in order, as JSON; each valid until the next is asked for.</summary>
    /// <exception cref="RunException">They cannot be read.</exception>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken) =>
        _client is null ? ReadStoreAsync(cancellationToken) : ReadServerAsync(_client, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadStoreAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var events = StoredEvents.ReadAsync(_store!, _execution!, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(events))
        {
            yield return events.Current;
        }
    }

    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (StoreException e)
        {
            throw new RunException(e.Message, e);
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadServerAsync(
        HubClient client, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var rest = client.ToRest();
        for (var next = 1L; ;)
        {
            var page = await rest.GetAsync(
                $"api/v1/executions/{Uri.EscapeDataString(Id)}/events?from={next}&events=true", cancellationToken);
            Name = page.Text("name") ?? Name;
            foreach (var json in page.GetProperty("events").EnumerateArray())
            {
                yield return System.Text.Encoding.UTF8.GetBytes(json.GetRawText());
            }

            if (page.Whole("next") is not { } after || after <= next || page.GetProperty("ended").GetBoolean())
            {
                yield break;
            }

            next = after;
        }
    }
}

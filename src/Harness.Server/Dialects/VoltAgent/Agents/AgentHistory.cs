using Harness.Executions;
using Harness.Generations;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>What an agent has generated: the executions that are kept of it.</summary>
internal static class AgentHistory
{
    /// <summary>Generations of one agent that are looked at; older ones are found by their ids only.</summary>
    private const int MaxEntries = 1_000;

    private const int PageItems = 200;

    /// <summary>A page, the newest first.</summary>
    /// <exception cref="StoreException">The store cannot be asked now.</exception>
    public static async Task<HistoryPage> ReadAsync(
        string agent, int page, int limit, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        var filter = new ExecutionFilter
        {
            Kind = Generator.Kind,
            Labels = new Dictionary<string, string> { [Generator.AgentLabel] = agent },
        };
        var all = new List<Execution>();
        string? cursor = null;
        do
        {
            var part = await executions.ListAsync(filter, cursor, PageItems, cancellationToken);
            all.AddRange(part.Items);
            cursor = part.Next;
        }
        while (cursor is not null && all.Count < MaxEntries);

        var entries = new List<HistoryEntry>();
        foreach (var execution in all.Skip((int)Math.Min(int.MaxValue, (long)page * limit)).Take(limit))
        {
            entries.Add(await HistoryEntry.FromAsync(agent, execution));
        }

        return new HistoryPage(entries, new Pagination(page, limit, all.Count));
    }
}

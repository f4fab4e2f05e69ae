using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>Lists of executions, page by page.</summary>
public sealed class ExecutionListTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PagesHaveEachExecutionOnceTheNewestFirst(bool isRestarted)
    {
        await using var store = new FakeStore();
        using var before = new Engine(store: store);
        await before.Registry.OpenAsync(Stop);
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            ids.Insert(0, (await before.RunAsync("line")).Id);
        }

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var registry = isRestarted ? after.Registry : before.Registry;
        var (listed, pages, cursor) = (new List<string>(), 0, (string?)null);
        do
        {
            var page = await registry.ListAsync(new ExecutionFilter(), cursor, limit: 3, Stop);
            listed.AddRange(page.Items.Select(execution => execution.Id));
            (pages, cursor) = (pages + 1, page.Next);
        }
        while (cursor is not null);

        Assert.Equal(ids, listed);
        Assert.Equal(3, pages);
    }

    [Fact]
    public async Task CursorOfAnotherProcessIsRefused()
    {
        using var before = new Engine();
        await before.RunAsync("one");
        await before.RunAsync("two");
        var page = await before.Registry.ListAsync(new ExecutionFilter(), cursor: null, limit: 1, Stop);

        using var after = new Engine();
        await after.RunAsync("three");

        var refused = await Assert.ThrowsAsync<ExecutionInputException>(
            () => after.Registry.ListAsync(new ExecutionFilter(), page.Next, limit: 1, Stop).AsTask());
        Assert.Equal("The cursor is unknown or from before a restart; begin again without one", refused.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LabelsAreMatchedByNameAndValueInMemoryAsInTheStore(bool isStored)
    {
        await using var store = new FakeStore();
        using var engine = isStored ? new Engine(store: store) : new Engine();
        await engine.Registry.OpenAsync(Stop);
        foreach (var team in new[] { "a", "b" })
        {
            var started = engine.Start(
                (_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Completed)),
                request => request with { Labels = new Dictionary<string, string> { ["team"] = team } });
            await started.Completion.WaitAsync(Stop);
        }

        async Task<int> CountAsync(string name, string value)
        {
            var filter = new ExecutionFilter { Labels = new Dictionary<string, string> { [name] = value } };
            return (await engine.Registry.ListAsync(filter, cursor: null, limit: 10, Stop)).Items.Count;
        }

        Assert.Equal((1, 1, 0, 0), (await CountAsync("team", "a"), await CountAsync("team", "b"), await CountAsync("team", "c"), await CountAsync("crew", "a")));
    }
}

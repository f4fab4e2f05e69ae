using FsCheck.Fluent;
using Harness.Executions;

namespace Harness.Storage.Tests;

/// <summary>Random histories against a dictionary.</summary>
public sealed class StoreModelTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task StoreHasWhatADictionaryWouldHave()
    {
        var histories = Gen.Choose(0, 1_000_000).ListOf(60).Sample(12, 25);

        foreach (var history in histories)
        {
            await RunAsync([.. history]);
        }
    }

    private async Task RunAsync(int[] history)
    {
        var options = _folder.NewOptions();
        var model = new Dictionary<long, List<StoredFrames>>();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        foreach (var choice in history)
        {
            var number = 1 + choice / 10 % 5;
            switch (choice % 10)
            {
                case < 6:
                    await AppendAsync(store, model, number, choice, isRepair: false);
                    break;
                case < 8:
                    await AppendAsync(store, model, number, choice, isRepair: true);
                    break;
                case 8:
                    Assert.Equal(model.Remove(number), await store.DeleteAsync(number, Stop));
                    break;
                default:
                    await store.DisposeAsync();
                    (store, _) = await Appends.OpenAsync(options, Stop);
                    break;
            }

            await AssertSameAsync(store, model, choice);
        }

        await store.DisposeAsync();
    }

    private static async Task AppendAsync(
        IExecutionStore store, Dictionary<long, List<StoredFrames>> model, int number, int choice, bool isRepair)
    {
        var isNew = !model.TryGetValue(number, out var kept);
        kept ??= model[number] = [];
        if (isRepair && kept.Count > 0)
        {
            kept.RemoveRange(choice / 50 % kept.Count, kept.Count - choice / 50 % kept.Count);
        }

        var frames = new List<StoredFrames>();
        for (var i = 0; i < 1 + choice / 50 % 3; i++)
        {
            var first = 1 + (frames.Count > 0 ? frames[^1].Last : kept.Count > 0 ? kept[^1].Last : 0);
            frames.Add(Appends.Frames(first, 1 + choice / 150 % 4, choice / 600 % 20_000));
        }

        kept.AddRange(frames);
        await store.AppendAsync(
            new StoreAppend { Execution = number, Created = isNew ? Appends.Execution(number) : null, Frames = frames, IsRepair = isRepair }, Stop);
    }

    private static async Task AssertSameAsync(IExecutionStore store, Dictionary<long, List<StoredFrames>> model, int choice)
    {
        var list = await store.ListAsync(new ExecutionFilter(), long.MaxValue, 10, Stop);
        Assert.Equal(model.Keys.OrderDescending(), list.Select(execution => execution.Number));
        foreach (var execution in list)
        {
            var kept = model[execution.Number];
            Assert.Equal((kept[^1].Last, kept.Sum(frames => (long)frames.Packed.Length)), (execution.LastSequence, execution.Bytes));
            var from = choice % (kept[^1].Last + 2);
            Appends.AssertSame(kept.Where(frames => frames.Last >= from), await store.ReadAsync(execution.Number, from, int.MaxValue, Stop));
            Appends.AssertSame(
                kept.Where(frames => frames.First < from).Reverse(), await store.ReadBackwardAsync(execution.Number, from, int.MaxValue, Stop));
        }
    }
}

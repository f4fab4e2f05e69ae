using Harness.Server.Transports;

namespace Harness.Server.Tests.Transports;

/// <summary>How many messages one connection may send.</summary>
public sealed class MessageBudgetTests
{
    private const long Start = 1_000_000;

    private readonly MessageBudget _budget = new(perSecond: 3);

    [Fact]
    public void TenSecondsWorthMayComeAtOnceAndThenSoManyASecond()
    {
        Assert.Equal(30, TakeAll(Start));
        Assert.Equal(3, TakeAll(Start + 1_000));
        Assert.Equal(0, TakeAll(Start + 1_000));
        Assert.Equal(6, TakeAll(Start + 3_000));
    }

    [Fact]
    public void LongSilenceSavesNoMoreThanTenSecondsWorth()
    {
        TakeAll(Start);

        Assert.Equal(30, TakeAll(Start + 3_600_000));
    }

    private int TakeAll(long now)
    {
        var taken = 0;
        while (taken < 1_000 && _budget.TryTake(now))
        {
            taken++;
        }

        return taken;
    }
}

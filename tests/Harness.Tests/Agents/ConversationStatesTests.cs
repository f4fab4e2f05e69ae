using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class ConversationStatesTests
{
    [Fact]
    public void WhenItIsFullTheUserWhoCameFirstIsForgotten()
    {
        var states = new ConversationStates<List<int>>(capacity: 2);
        var (first, second) = (states.Get("1"), states.Get("2"));

        states.Get("3");

        Assert.Same(second, states.Get("2"));
        Assert.NotSame(first, states.Get("1"));
    }
}

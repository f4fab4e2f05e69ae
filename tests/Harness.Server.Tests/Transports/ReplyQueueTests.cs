using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>Answers that a client does not fetch hold up its next command before they take much memory.</summary>
public sealed class ReplyQueueTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(32, 10)]
    [InlineData(2, 512 * 1024)]
    [InlineData(1, 48 * 1024 * 1024)]
    public async Task NextCommandWaitsUntilAnAnswerIsFetched(int answers, int length)
    {
        var queue = new ReplyQueue();
        for (var i = 0; i < answers; i++)
        {
            Assert.True(queue.WaitForRoomAsync(Stop).IsCompleted);
            Assert.True(queue.TryAdd(new byte[length]));
        }

        var room = queue.WaitForRoomAsync(Stop);
        Assert.False(room.IsCompleted);
        Assert.True(queue.TryTake(out _));
        await room.WaitAsync(Stop);
    }

    [Fact]
    public void LateAnswerHasRoomWhereAnotherHasNone()
    {
        var queue = new ReplyQueue();
        while (queue.TryAdd([1]))
        {
        }

        Assert.True(queue.TryAdd([2], isLate: true));
        Assert.False(queue.TryAdd([3]));
    }

    [Fact]
    public void AnswersLessThanAMebibyteLetCommandsThrough()
    {
        var queue = new ReplyQueue();
        queue.TryAdd(new byte[1024 * 1024 - 1]);

        Assert.True(queue.WaitForRoomAsync(Stop).IsCompleted);
    }
}

using System.Net;
using System.Net.Sockets;
using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class AgentHttpTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CancellingAbortsTheCallInFlight()
    {
        await using var runtime = new FakeHttp(_ => null);
        using var factory = Given.Factory();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var call = Open(factory, runtime.Url).SendAsync(AgentTurn.Launch, cancel.Token);
        await runtime.NextAsync(Stop);
        await cancel.CancelAsync();

        var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, canceled.CancellationToken);
        await runtime.Abandoned.WaitAsync(Stop);
    }

    [Fact]
    public async Task ATimeLimitIsAFailureThatNamesItsSetting()
    {
        await using var runtime = new FakeHttp(_ => null);
        var time = new ManualTime();
        using var factory = Given.Factory(new AgentOptions { CallTimeLimit = TimeSpan.FromSeconds(90) }, time);

        var call = Open(factory, runtime.Url).SendAsync(AgentTurn.Launch, Stop);
        await runtime.NextAsync(Stop);
        time.Advance(TimeSpan.FromSeconds(90));

        var failure = await Assert.ThrowsAsync<AgentException>(() => call);
        Assert.Equal(
            $"Voiceflow ({runtime.Url}) did not answer within 90 s; raise Harness:Agents:CallTimeLimit if it needs longer", failure.Message);
        await runtime.Abandoned.WaitAsync(Stop);
    }

    [Fact]
    public async Task AnAnswerLongerThanTheLimitIsAFailureThatNamesItsSetting()
    {
        var trace = $"[\"{new string('x', 5_000)}\"]";
        await using var runtime = new FakeHttp(_ => trace);
        using var strict = Given.Factory(new AgentOptions { MaxReplyBytes = trace.Length - 1 });
        using var exact = Given.Factory(new AgentOptions { MaxReplyBytes = trace.Length });

        var failure = await Assert.ThrowsAsync<AgentException>(() => Open(strict, runtime.Url).SendAsync(AgentTurn.Launch, Stop));
        var reply = await Open(exact, runtime.Url).SendAsync(AgentTurn.Launch, Stop);

        Assert.Contains("answered more than 5,003 bytes; raise Harness:Agents:MaxReplyBytes", failure.Message, StringComparison.Ordinal);
        Assert.Single(reply.Traces);
    }

    [Fact]
    public async Task WhereNobodyListensTheErrorSaysSo()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
        listener.Stop();
        using var factory = Given.Factory();

        var failure = await Assert.ThrowsAsync<AgentException>(() => Open(factory, url).SendAsync(AgentTurn.Launch, Stop));

        Assert.StartsWith(
            $"Voiceflow ({url}) could not be reached: nothing accepts connections there. Check the runtime URL",
            failure.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATokenThatIsAlreadyCancelledSendsNothing()
    {
        await using var runtime = new FakeHttp(_ => "[]");
        using var factory = Given.Factory();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Open(factory, runtime.Url).SendAsync(AgentTurn.Launch, new CancellationToken(canceled: true)));

        Assert.Empty(runtime.Requests);
    }

    [Fact]
    public async Task NoCookieIsKept()
    {
        await using var runtime = new FakeHttp(_ => new FakeAnswer(200, "[]") { Headers = ["Set-Cookie: session=1"] });
        using var factory = Given.Factory();
        var conversation = Open(factory, runtime.Url);

        await conversation.SendAsync(AgentTurn.Launch, Stop);
        await conversation.SendAsync(AgentTurn.Launch, Stop);

        Assert.DoesNotContain(runtime.Requests, request => request.Headers.ContainsKey("Cookie"));
    }

    private static IConversation Open(AgentFactory factory, string url) =>
        factory.Create(new AgentSettings { ApiKey = "VF.DM.key", RuntimeUrl = url }).Open("u1");
}

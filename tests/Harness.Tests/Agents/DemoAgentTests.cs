using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class DemoAgentTests : IDisposable
{
    private readonly AgentFactory _factory = Given.Factory();
    private readonly IConversation _demo;

    public DemoAgentTests() => _demo = _factory.Create(new AgentSettings()).Open("u1");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _factory.Dispose();

    [Fact]
    public async Task ItGreetsOnLaunchAndOffersWhatCanBeDone()
    {
        var reply = await _demo.SendAsync(AgentTurn.Launch, Stop);

        Assert.Contains("hello", reply.Messages()[0], StringComparison.Ordinal);
        Assert.Equal(["Order a pizza", "Show the menu", "Goodbye"], reply.Traces[^1].Buttons.Select(button => button.Label));
    }

    [Theory]
    [InlineData("hi")]
    [InlineData("Hello!")]
    [InlineData("good morning")]
    public async Task ItSaysHelloToWhoSaysHello(string text)
    {
        Assert.Contains("hello", Assert.Single(await _demo.SayAsync(text, Stop)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ItRemembersANameUntilItIsReset()
    {
        Assert.Equal(["Nice to meet you, Zoë!"], await _demo.SayAsync("Hey, my name is Zoë", Stop));
        Assert.Equal(["Your name is Zoë."], await _demo.SayAsync("What is my name?", Stop));
        Assert.Equal(["hello again, Zoë! Are you hungry?"], await _demo.SayAsync("hello", Stop));
        Assert.Equal("Zoë", (await _demo.GetVariablesAsync(Stop)).GetProperty("user_name").GetString());

        await _demo.SendAsync(Given.Turn("event", """{"event":{"name":"reset"}}"""), Stop);

        Assert.Equal("""{"count":0,"premium":false}""", (await _demo.GetVariablesAsync(Stop)).GetRawText());
        Assert.StartsWith("I do not know your name yet", Assert.Single(await _demo.SayAsync("what is my name", Stop)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text", "\"I would like a pizza\"")]
    [InlineData("intent", """{"intent":{"name":"order_pizza"}}""")]
    [InlineData("path-order-a-pizza", """{"label":"Order a pizza"}""")]
    public async Task ItTakesAnOrderAndAsksForTheSize(string type, string payload)
    {
        var sizes = (await _demo.SendAsync(Given.Turn(type, payload), Stop)).Traces[^1].Buttons;

        Assert.Equal(["Small", "Medium", "Large"], sizes.Select(button => button.Label));
        Assert.Equal(["One Large pizza is on its way. Enjoy!"], (await _demo.SendAsync(sizes[2].Request, Stop)).Messages());
        Assert.Equal("Large", (await _demo.GetVariablesAsync(Stop)).GetProperty("pizza_size").GetString());
    }

    [Fact]
    public async Task ASizeCanBeTypedWhileItIsAskedFor()
    {
        Assert.Equal(["You said: small"], await _demo.SayAsync("small", Stop));

        await _demo.SayAsync("order", Stop);

        Assert.Equal(["One small pizza is on its way. Enjoy!"], await _demo.SayAsync("small", Stop));
    }

    [Fact]
    public async Task ItHasACardAndACarouselWithButtons()
    {
        var card = Assert.Single((await _demo.SendAsync(AgentTurn.Text("show me the menu"), Stop)).Traces);
        var carousel = Assert.Single((await _demo.SendAsync(AgentTurn.Text("any specials?"), Stop)).Traces);

        Assert.Equal(("cardV2", "Margherita\nTomato, mozzarella, basil"), (card.Type, card.Message));
        Assert.Equal(("carousel", 2), (carousel.Type, carousel.Buttons.Count));
    }

    [Fact]
    public async Task ItCountsAndKnowsPremiumGuests()
    {
        await _demo.SendAsync(AgentTurn.Launch with { Variables = Given.Variables("""{"count":40}""") }, Stop);
        await _demo.SayAsync("I am premium", Stop);
        await _demo.SayAsync("whatever", Stop);

        Assert.Equal("""{"count":42,"premium":true,"discount":12.5}""", (await _demo.GetVariablesAsync(Stop)).GetRawText());
    }

    [Fact]
    public async Task ItEndsWhenTheUserSaysGoodbye()
    {
        var reply = await _demo.SendAsync(AgentTurn.Text("bye"), Stop);

        Assert.Equal(["text", "end"], reply.Traces.Select(trace => trace.Type));
    }

    [Fact]
    public async Task ItRepeatsWhatItDoesNotKnow()
    {
        Assert.Equal(["You said: the {weather} is fine"], await _demo.SayAsync("the {weather} is fine", Stop));
    }
}

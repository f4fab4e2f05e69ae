using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class TraceReaderTests
{
    [Theory]
    [InlineData("""{"type":"text","payload":{"message":"Hi","slate":{}}}""", "Hi")]
    [InlineData("""{"type":"speak","payload":{"message":"","type":"audio","src":"…"}}""", "")]
    [InlineData("""{"type":"anything","payload":{"message":"of its own"}}""", "of its own")]
    [InlineData("""{"type":"my_action","payload":"a string"}""", "a string")]
    [InlineData("""{"type":"cardV2","payload":{"title":"Pizza","description":{"slate":[],"text":"Hot"}}}""", "Pizza\nHot")]
    [InlineData("""{"type":"card","payload":{"title":"Pizza","description":"Hot"}}""", "Pizza\nHot")]
    [InlineData("""{"type":"cardV2","payload":{"message":"first","title":"Pizza"}}""", "first")]
    [InlineData("""{"type":"carousel","payload":{"cards":[{"title":"A","description":"a"},{"title":"B"},7]}}""", "A\na\nB")]
    [InlineData("""{"type":"visual","payload":{"image":"x","title":"not read"}}""", null)]
    [InlineData("""{"type":"card","payload":{"title":7}}""", null)]
    [InlineData("""{"type":"carousel","payload":{"cards":{}}}""", null)]
    [InlineData("""{"type":"text","payload":{"message":{"nested":1}}}""", null)]
    [InlineData("""{"type":"text","payload":["a"]}""", null)]
    public void TheMessageIsWhatAPersonWouldRead(string trace, string? message)
    {
        Assert.Equal(message, TraceReader.Read(Given.Json(trace)).Message);
    }

    [Fact]
    public void APathIsPressedByTheLabelOfItsRequest()
    {
        var button = Button("""{"name":"yes button","request":{"type":"path-abc","payload":{"actions":[],"label":"Yes"}}}""");

        Assert.Equal(("Yes", "yes button", "path-abc"), (button.Label, button.Name, button.Request.Type));
        Assert.Equal("""{"actions":[],"label":"Yes"}""", button.Request.Payload?.GetRawText());
    }

    [Fact]
    public void AnIntentIsPressedByTheLabelOfItsRequest()
    {
        var button = Button("""{"name":"Order","request":{"type":"intent","payload":{"label":"Order","query":"order","intent":{"name":"o"}}}}""");

        Assert.Equal(("Order", null, "intent"), (button.Label, button.Name, button.Request.Type));
    }

    [Fact]
    public void AnAgentStepIsPressedByItsName()
    {
        var button = Button("""{"name":"Balance","request":{"type":"text","payload":"Check account balance"}}""");

        Assert.Equal(("Balance", null, "text"), (button.Label, button.Name, button.Request.Type));
        Assert.Equal("Check account balance", button.Request.Payload?.GetString());
    }

    [Fact]
    public void AButtonWithoutARequestSaysItsName()
    {
        var button = Button("""{"name":"More"}""");

        Assert.Equal(("text", "More"), (button.Request.Type, button.Request.Payload?.GetString()));
    }

    [Theory]
    [InlineData("""{"type":"cardV2","payload":{"buttons":[{"name":"A"},{"name":"B"}]}}""")]
    [InlineData("""{"type":"carousel","payload":{"cards":[{"buttons":[{"name":"A"}]},{},{"buttons":[{"name":"B"},null,{}]}]}}""")]
    public void CardsHaveButtonsToo(string trace)
    {
        Assert.Equal(["A", "B"], TraceReader.Read(Given.Json(trace)).Buttons.Select(button => button.Label));
    }

    [Theory]
    [InlineData("""{"type":"choice"}""")]
    [InlineData("""{"type":"choice","payload":"x"}""")]
    [InlineData("""{"type":"choice","payload":{"buttons":"x"}}""")]
    [InlineData("""{"type":"choice","payload":{"buttons":[1,null,{},{"name":7},{"request":{"payload":{"label":1}}}]}}""")]
    [InlineData("""{"type":"text","payload":{"buttons":[{"name":"A"}]}}""")]
    public void WhatIsNoButtonIsLeftOut(string trace)
    {
        Assert.Empty(TraceReader.Read(Given.Json(trace)).Buttons);
    }

    private static AgentButton Button(string json)
    {
        var trace = TraceReader.Read(Given.Json($$$"""{"type":"choice","payload":{"buttons":[{{{json}}}]}}"""));
        return Assert.Single(trace.Buttons);
    }
}

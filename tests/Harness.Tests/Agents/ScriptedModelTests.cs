using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class ScriptedModelTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnswersAreGivenOnceInOrder()
    {
        var model = new ScriptedModel("one", "two");

        Assert.Equal("one", await AskAsync(model, "x"));
        Assert.Equal("two", await AskAsync(model, "x"));
        var failure = await Assert.ThrowsAsync<AgentException>(() => AskAsync(model, "x"));
        Assert.Contains("has no answer left", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AConditionWinsOverTheListAndIsNeverUsedUp()
    {
        using var yaml = new StringReader("answers:\n  - one\n  - { contains: goal, answer: 'YES' }\n  - 0.9");
        var model = ScriptedModel.ReadYaml("model.yaml", yaml);

        Assert.Equal(["YES", "one", "YES", "0.9"], [
            await AskAsync(model, "The GOAL?"), await AskAsync(model, "x"), await AskAsync(model, "goal"), await AskAsync(model, "x")]);
    }

    [Theory]
    [InlineData("- a", "model.yaml, line 1: a mapping is expected here, with answers")]
    [InlineData("answer: a", "model.yaml, line 1, answer: 'answer' is not known here; known are answers")]
    [InlineData("answers:\n  - { answer: a }", "model.yaml, line 2, answers[0]: 'contains' is missing")]
    [InlineData("answers:\n  - { contains: a }", "model.yaml, line 2, answers[0]: 'answer' is missing")]
    public void AMistakeIsNamedWithItsLine(string text, string message)
    {
        using var yaml = new StringReader(text);

        Assert.StartsWith(message, Assert.Throws<AgentException>(() => ScriptedModel.ReadYaml("model.yaml", yaml)).Message, StringComparison.Ordinal);
    }

    private static Task<string> AskAsync(ScriptedModel model, string question) =>
        model.CompleteAsync(new ModelPrompt("m", [new ModelMessage("user", question)]), Stop);
}

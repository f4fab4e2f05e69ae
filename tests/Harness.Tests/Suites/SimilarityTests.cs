using Harness.Executions;

namespace Harness.Tests.Suites;

public sealed class SimilarityTests
{
    private const string Validation =
        """
        [{"id":"v","type":"similarity","values":["hi","Hello"],"similarityConfig":
        {"provider":"openai","model":"gpt-4o","temperature":0.8,"similarityThreshold":0.5,"top_k":5,"top_p":0.9}}]
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheModelIsAskedAsTheReferenceAsks()
    {
        var stage = new SuiteStage("hello") { Model = { Answer = _ => "0.5" } };

        var result = await stage.ValidateAsync(Validation, Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Contains("Validation type: similarity PASSED with values: [hi Hello] and config {openai gpt-4o 0.8 0.5 5 0.9}", stage.Lines);
        var prompt = Assert.Single(stage.Model.Prompts);
        Assert.Equal(("gpt-4o", 0.8, 0.9), (prompt.Model, prompt.Temperature, prompt.TopP));
        Assert.Equal(
            [
                ("system", "You are a helpful assistant that calculates similarity scores and returns only numeric results."),
                ("user", "Compare the input message: \"hello\" to the following strings: [hi Hello]. Calculate the average similarity score (0 to 1) "
                    + "across all comparisons. Return only the numeric score without any additional text or explanation."),
            ],
            prompt.Messages.Select(message => (message.Role, message.Content)));
    }

    [Theory]
    [InlineData("0.51", true)]
    [InlineData(" 1 (very alike)", true)]
    [InlineData(".5", true)]
    [InlineData("5e-1", true)]
    [InlineData("0.49", false)]
    public async Task TheScoreMustReachTheThreshold(string answer, bool passes)
    {
        var stage = new SuiteStage("hello") { Model = { Answer = _ => answer } };

        var result = await stage.ValidateAsync(Validation, Stop);

        Assert.Equal(passes ? ExecutionStatus.Completed : ExecutionStatus.Failed, result.Status);
    }

    [Fact]
    public async Task AnAnswerThatIsNoNumberAndAModelThatFailsAreErrorsOfTheValidation()
    {
        var chatty = new SuiteStage("hello") { Model = { Answer = _ => "quite alike" } };
        var unreachable = new SuiteStage("hello");

        await chatty.ValidateAsync(Validation, Stop);
        await unreachable.ValidateAsync(Validation, Stop);

        Assert.Equal(
            ["Error checking similarity: the model answered 'quite alike' instead of a number", "Validation type: similarity FAILED with value: "],
            chatty.Lines.SkipLast(1).TakeLast(2));
        Assert.Contains("Error checking similarity: the model cannot be reached", unreachable.Lines);
    }

    [Fact]
    public async Task AnotherProviderIsNotSupported()
    {
        var stage = new SuiteStage("hello");

        await stage.ValidateAsync("""[{"id":"v","type":"similarity","similarityConfig":{"provider":"anthropic"}}]""", Stop);

        Assert.Equal(["Unsupported provider: anthropic", "Validation type: similarity FAILED with value: "], stage.Lines.SkipLast(1).TakeLast(2));
    }

    [Fact]
    public async Task TheSuitesModelStandsInForWhatAValidationLeavesOut()
    {
        var stage = new SuiteStage("hello") { Model = { Answer = _ => "0.8" } };

        var result = await stage.RunAsync(
            """
            {"suite":{"openAIConfig":{"model":"local-7b","temperature":0.1},"tests":[{"id":"t","test":{"interactions":[{"id":"i",
            "user":{"type":"launch"},"agent":{"validate":[{"type":"similarity","values":["hi"]}]}}]}}]}}
            """,
            Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(("local-7b", 0.1), (stage.Model.Prompts[0].Model, stage.Model.Prompts[0].Temperature));
        Assert.Contains("Validation type: similarity PASSED with values: [hi] and config {openai local-7b 0.1 0.8 0 0}", stage.Lines);
    }
}

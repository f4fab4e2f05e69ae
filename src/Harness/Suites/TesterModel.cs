using System.Globalization;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>The language model of an agent-to-agent test: plays the tester, and judges whether the goal is achieved.</summary>
internal sealed class TesterModel(TestStage stage, AgentTest test)
{
    private const string DefaultModel = "gpt-4o";
    private const double DefaultTemperature = 0.7;

    private ModelSettings? Settings => test.OpenAIConfig ?? stage.Suite.OpenAIConfig;

    public async Task DescribeAsync()
    {
        if (Settings?.Model is { } model)
        {
            await stage.Lines.WriteAsync("Using OpenAI model: " + model);
        }

        if (Settings?.Temperature is { } temperature)
        {
            await stage.Lines.WriteAsync("Using OpenAI temperature: " + temperature.ToString("F2", CultureInfo.InvariantCulture));
        }
    }

    /// <exception cref="AgentException">The model cannot be had or did not answer.</exception>
    public Task<string> AskAsync(IReadOnlyList<ModelMessage> messages, CancellationToken stop) =>
        stage.Tools.Models().CompleteAsync(
            new ModelPrompt(Settings?.Model ?? DefaultModel, messages) { Temperature = Settings?.Temperature ?? DefaultTemperature }, stop);

    /// <summary>Asks the judge, who sees tester and agent as two people.</summary>
    /// <returns>Whether the goal is achieved; null with a problem where the judge could not be asked.</returns>
    public async Task<(bool? Achieved, string? Problem)> JudgeAsync(IEnumerable<TranscriptLine> transcript, CancellationToken stop)
    {
        await stage.Lines.WriteAsync("Evaluating goal achievement...");
        string answer;
        try
        {
            answer = await AskAsync(TesterPrompts.Judge(test.Goal, transcript), stop);
        }
        catch (AgentException error)
        {
            return (null, "error evaluating goal: " + error.Message);
        }

        var isAchieved = answer.Trim().Equals("YES", StringComparison.OrdinalIgnoreCase);
        await stage.Lines.WriteAsync($"Goal achievement evaluation: {(isAchieved ? "ACHIEVED" : "NOT ACHIEVED")} (response: {answer})");
        if (isAchieved)
        {
            await stage.Lines.WriteAsync("Goal achieved successfully!");
        }

        return (isAchieved, null);
    }
}

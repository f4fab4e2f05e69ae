using System.Runtime.CompilerServices;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>Runs an agent-to-agent test with either tester. The order of its lines is the reference's (compat/voiceflow.md 2.5).</summary>
internal sealed class AgentTestRun
{
    private readonly TestStage _stage;
    private readonly AgentTest _test;
    private readonly AgentTestTalk _talk;

    public AgentTestRun(TestStage stage, AgentTest test) => (_stage, _test, _talk) = (stage, test, new AgentTestTalk(stage, test));

    public AgentTestReport Report() => _talk.Report();

    /// <param name="name">The test's name.</param>
    /// <param name="stop">Ends it between and within steps.</param>
    /// <returns>Why it failed; nothing when it passed.</returns>
    public async IAsyncEnumerable<string> RunAsync(string name, [EnumeratorCancellation] CancellationToken stop)
    {
        await _talk.TellAsync("Executing agent-to-agent test: " + name);
        if (_test.OpenAIConfig is null && _stage.Suite.OpenAIConfig is not null)
        {
            await _talk.TellAsync("Using suite-level OpenAI configuration");
        }

        if (await TryRunAsync(stop) is { } failure)
        {
            yield return failure;
        }
    }

    private async Task<string?> TryRunAsync(CancellationToken stop)
    {
        try
        {
            await (_test.Tester is null
                ? new ModelTester(_talk, _test).RunAsync(stop)
                : new AgentTester(_talk, _stage, _test).RunAsync(_test.Tester, stop));
            var failure = _talk.IsAchieved ? null : await _talk.JudgeFinallyAsync(stop);
            if (failure is null)
            {
                var tester = _test.Tester is null ? "Agent" : "Voiceflow agent";
                await _talk.TellAsync($"{tester} test completed successfully in {_talk.Step} steps");
            }

            return failure;
        }
        catch (StepException failed)
        {
            return failed.Message;
        }
    }
}

/// <summary>A step of an agent-to-agent test that could not be taken; the message says which and why.</summary>
internal sealed class StepException(string step, AgentException error) : Exception($"{step}: {error.Message}", error)
{
    /// <exception cref="StepException">The agent or the model failed.</exception>
    public static async Task<T> GuardAsync<T>(string failure, Task<T> step)
    {
        try
        {
            return await step;
        }
        catch (AgentException error)
        {
            throw new StepException(failure, error);
        }
    }
}

using Harness.Agents;

namespace Harness.Suites;

/// <summary>A second Voiceflow agent as the tester; the judge is still a language model.</summary>
internal sealed class AgentTester(AgentTestTalk talk, TestStage stage, AgentTest test)
{
    /// <summary>Talks until the goal is achieved, a side falls silent, the session ends, or the steps are used up.</summary>
    /// <exception cref="StepException">A step could not be taken.</exception>
    public async Task RunAsync(VoiceflowTester settings, CancellationToken stop)
    {
        await TellHeadAsync(settings);
        await talk.TellAsync("Launching conversation with tester Voiceflow agent");
        var tester = await StepException.GuardAsync("failed to launch conversation with tester agent", LaunchTesterAsync(settings, stop));
        var heard = await talk.LaunchTargetAsync(
            "Launching conversation with target Voiceflow agent (new session per test enabled)",
            "failed to launch conversation with target agent",
            stop);
        talk.Remember(TranscriptRole.Agent, heard.Text);
        await talk.TellAsync("Sending target agent's initial response to tester agent");
        var said = await StepException.GuardAsync("failed to send goal to tester agent", tester.SayAsync(AgentTurn.Text(heard.Text), stop));
        for (talk.Step = 1; talk.Step < test.MaxSteps; talk.Step++)
        {
            await talk.TellAsync($"Step {talk.Step}");
            if (said.Text.Length == 0)
            {
                await talk.TellAsync("No message from tester agent, ending conversation");
                return;
            }

            heard = await ExchangeAsync(said, stop);
            if (await talk.JudgeAsync(stop))
            {
                return;
            }

            if (heard.End is not null)
            {
                await talk.TellEndAsync(heard);
                return;
            }

            said = await StepException.GuardAsync(
                $"failed to get response from tester agent at step {talk.Step}", tester.SayAsync(AgentTurn.Text(heard.Text), stop));
        }
    }

    private async Task TellHeadAsync(VoiceflowTester settings)
    {
        await talk.TellAsync("Using Voiceflow agent as the tester");
        await talk.Model.DescribeAsync();
        await talk.TellAsync("Starting Voiceflow agent-to-agent test with goal: " + test.Goal);
        await talk.TellAsync("Target environment: " + stage.Suite.EnvironmentName);
        await talk.TellAsync("Tester environment: " + settings.EnvironmentName);
        await talk.TellAsync($"Maximum steps: {test.MaxSteps}");
    }

    private async Task<PartyReply> ExchangeAsync(PartyReply said, CancellationToken stop)
    {
        await talk.TellAsync("Tester agent says: " + said.Text);
        var heard = await StepException.GuardAsync(
            $"failed to interact with target agent at step {talk.Step}", talk.TellTargetAsync(said.Text, stop));
        await talk.TellAsync("Target agent says: " + heard.Text);
        talk.Remember(TranscriptRole.Agent, heard.Text);
        return heard;
    }

    private async Task<AgentParty> LaunchTesterAsync(VoiceflowTester settings, CancellationToken stop)
    {
        var agent = stage.Tools.Agents(stage.Suite.Agent with
        {
            Connector = "voiceflow",
            Options = default,
            ApiKey = settings.ApiKey,
            Environment = settings.EnvironmentName.Length == 0 ? null : settings.EnvironmentName,
        });
        var tester = new AgentParty(agent.Open("voiceflow-agent-tester-" + stage.UserId), stage.Lines, settings.Variables);
        await tester.SayAsync(AgentTurn.Launch, stop);
        return tester;
    }
}

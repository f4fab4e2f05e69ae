using Harness.Agents;

namespace Harness.Suites;

/// <summary>A language model as the tester.</summary>
internal sealed class ModelTester(AgentTestTalk talk, AgentTest test)
{
    private const string NoMessage = "No message received";

    private readonly TesterDetails _details = new(test, talk.Model, talk.Lines);

    /// <summary>Talks until the goal is achieved, the session ends, or the steps are used up.</summary>
    /// <exception cref="StepException">A step could not be taken.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        await TellHeadAsync();
        var heard = await talk.LaunchTargetAsync(
            "Launching conversation with Voiceflow agent (new session per test enabled)", "failed to launch conversation", stop);
        var text = await StepException.GuardAsync("failed to get initial action", NextMessageAsync(heard, stop));
        for (talk.Step = 1; talk.Step < test.MaxSteps; talk.Step++)
        {
            await talk.TellAsync($"Step {talk.Step}");
            if (await talk.JudgeAsync(stop))
            {
                return;
            }

            text = await _details.AnswerAsync(heard.Text, text, stop) ?? text;
            heard = await StepException.GuardAsync($"failed to interact with Voiceflow at step {talk.Step}", talk.TellTargetAsync(text, stop));
            if (heard.End is not null)
            {
                await HearAsync(heard.Text);
                await talk.TellEndAsync(heard);
                return;
            }

            text = await StepException.GuardAsync($"failed to get next action at step {talk.Step}", NextMessageAsync(heard, stop));
        }
    }

    private async Task TellHeadAsync()
    {
        await talk.TellAsync("Using OpenAI as the tester");
        await talk.Model.DescribeAsync();
        await talk.TellAsync("Starting agent test with goal: " + test.Goal);
        await talk.TellAsync("Agent persona: " + test.Persona);
        await talk.TellAsync($"Maximum steps: {test.MaxSteps}");
    }

    private async Task<string> NextMessageAsync(PartyReply heard, CancellationToken stop)
    {
        await HearAsync(heard.Text.Length == 0 ? NoMessage : heard.Text);
        await talk.TellAsync("Generating next action using OpenAI...");
        string answer;
        try
        {
            answer = (await talk.Model.AskAsync(TesterPrompts.NextMessage(test, talk.Step + 1, talk.Transcript), stop)).Trim();
        }
        catch (AgentException error)
        {
            throw new AgentException("error generating response: " + error.Message, error);
        }

        await talk.TellAsync("Tester agent message: " + answer);
        return answer;
    }

    private async Task HearAsync(string message)
    {
        if (message.Length > 0)
        {
            await talk.TellAsync("Voiceflow message: " + message);
            talk.Remember(TranscriptRole.Agent, message);
        }
    }
}

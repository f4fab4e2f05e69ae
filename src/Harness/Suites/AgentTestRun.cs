using System.Globalization;
using System.Runtime.CompilerServices;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>Runs an agent-to-agent test with either tester. The order of its lines is the reference's (compat/voiceflow.md 2.5).</summary>
internal sealed class AgentTestRun
{
    private const string NoMessage = "No message received";

    private readonly TestStage _stage;
    private readonly AgentTest _test;
    private readonly TesterModel _model;
    private readonly AgentParty _target;
    private readonly List<TranscriptLine> _transcript = [];
    private int _step;
    private bool _isAchieved;

    public AgentTestRun(TestStage stage, AgentTest test)
    {
        (_stage, _test) = (stage, test);
        _model = new TesterModel(stage, test);
        _target = new AgentParty(stage.Conversation, stage.Lines, test.TargetVariables);
    }

    public AgentTestReport Report() => new(
        _test.Goal, _step, _isAchieved, [.. _transcript.Select(line => line with { Text = SuiteReportReductions.Shorten(line.Text) })]);

    /// <param name="name">The test's name.</param>
    /// <param name="stop">Ends it between and within steps.</param>
    /// <returns>Why it failed; nothing when it passed.</returns>
    public async IAsyncEnumerable<string> RunAsync(string name, [EnumeratorCancellation] CancellationToken stop)
    {
        await SayAsync("Executing agent-to-agent test: " + name);
        if (_test.OpenAIConfig is null && _stage.Suite.OpenAIConfig is not null)
        {
            await SayAsync("Using suite-level OpenAI configuration");
        }

        if (await TryRunAsync(stop) is { } failure)
        {
            yield return failure;
        }
    }

    /// <summary>A step that could not be taken; the message says which.</summary>
    private sealed class StepException(string step, AgentException error) : Exception($"{step}: {error.Message}", error);

    private async Task<string?> TryRunAsync(CancellationToken stop)
    {
        try
        {
            var isDone = _test.Tester is null ? await RunWithModelAsync(stop) : await RunWithAgentAsync(_test.Tester, stop);
            return isDone ? null : await JudgeFinallyAsync(stop);
        }
        catch (StepException failed)
        {
            return failed.Message;
        }
    }

    private async Task<bool> RunWithModelAsync(CancellationToken stop)
    {
        await SayAsync("Using OpenAI as the tester");
        await _model.DescribeAsync();
        await SayAsync("Starting agent test with goal: " + _test.Goal);
        await SayAsync("Agent persona: " + _test.Persona);
        await SayAsync($"Maximum steps: {_test.MaxSteps}");
        var details = new TesterDetails(_test, _model, _stage.Lines);
        var heard = await LaunchTargetAsync("Launching conversation with Voiceflow agent (new session per test enabled)", "conversation", stop);
        var text = await TryStepAsync("failed to get initial action", NextMessageAsync(heard, stop));
        for (_step = 1; _step < _test.MaxSteps; _step++)
        {
            await SayAsync($"Step {_step}");
            if (await IsAchievedAsync(stop))
            {
                await SayAsync($"Agent test completed successfully in {_step} steps");
                return true;
            }

            text = await details.AnswerAsync(heard.Text, text, stop) ?? text;
            heard = await TryStepAsync($"failed to interact with Voiceflow at step {_step}", TellTargetAsync(text, stop));
            if (await HasEndedAsync(heard))
            {
                break;
            }

            text = await TryStepAsync($"failed to get next action at step {_step}", NextMessageAsync(heard, stop));
        }

        return false;
    }

    private async Task<bool> RunWithAgentAsync(VoiceflowTester settings, CancellationToken stop)
    {
        await SayAsync("Using Voiceflow agent as the tester");
        await _model.DescribeAsync();
        await SayAsync("Starting Voiceflow agent-to-agent test with goal: " + _test.Goal);
        await SayAsync("Target environment: " + _stage.Suite.EnvironmentName);
        await SayAsync("Tester environment: " + settings.EnvironmentName);
        await SayAsync($"Maximum steps: {_test.MaxSteps}");
        await SayAsync("Launching conversation with tester Voiceflow agent");
        var tester = await TryStepAsync("failed to launch conversation with tester agent", LaunchTesterAsync(settings, stop));
        var heard = await LaunchTargetAsync(
            "Launching conversation with target Voiceflow agent (new session per test enabled)", "conversation with target agent", stop);
        await SayAsync("Sending target agent's initial response to tester agent");
        var said = await TryStepAsync("failed to send goal to tester agent", tester.SayAsync(AgentTurn.Text(heard.Text), stop));
        for (_step = 1; _step < _test.MaxSteps; _step++)
        {
            await SayAsync($"Step {_step}");
            if (said.Text.Length == 0)
            {
                await SayAsync("No message from tester agent, ending conversation");
                break;
            }

            await SayAsync("Tester agent says: " + said.Text);
            heard = await TryStepAsync($"failed to interact with target agent at step {_step}", TellTargetAsync(said.Text, stop));
            await SayAsync("Target agent says: " + heard.Text);
            Remember(TranscriptRole.Agent, heard.Text);
            if (await IsAchievedAsync(stop))
            {
                await SayAsync($"Voiceflow agent test completed successfully in {_step} steps");
                return true;
            }

            if (await HasEndedAsync(heard))
            {
                break;
            }

            said = await TryStepAsync($"failed to get response from tester agent at step {_step}", tester.SayAsync(AgentTurn.Text(heard.Text), stop));
        }

        return false;
    }

    private async Task<AgentParty> LaunchTesterAsync(VoiceflowTester settings, CancellationToken stop)
    {
        var agent = _stage.Tools.Agents(_stage.Suite.Agent with
        {
            Connector = "voiceflow",
            Options = default,
            ApiKey = settings.ApiKey,
            Environment = settings.EnvironmentName.Length == 0 ? null : settings.EnvironmentName,
        });
        var tester = new AgentParty(agent.Open("voiceflow-agent-tester-" + _stage.UserId), _stage.Lines, settings.Variables);
        await tester.SayAsync(AgentTurn.Launch, stop);
        return tester;
    }

    // Where the session is not new, the conversation is already under way and the tester speaks first.
    private async Task<PartyReply> LaunchTargetAsync(string line, string what, CancellationToken stop)
    {
        if (!_stage.IsNewSession)
        {
            return new PartyReply("", End: null);
        }

        await SayAsync(line);
        var heard = await TryStepAsync("failed to launch " + what, _target.SayAsync(AgentTurn.Launch, stop));
        if (_test.Tester is not null)
        {
            Remember(TranscriptRole.Agent, heard.Text);
        }

        return heard;
    }

    private async Task<string> NextMessageAsync(PartyReply heard, CancellationToken stop)
    {
        var message = heard.Text.Length == 0 ? NoMessage : heard.Text;
        await SayAsync("Voiceflow message: " + message);
        Remember(TranscriptRole.Agent, message);
        await SayAsync("Generating next action using OpenAI...");
        string answer;
        try
        {
            answer = (await _model.AskAsync(TesterPrompts.NextMessage(_test, _step + 1, _transcript), stop)).Trim();
        }
        catch (AgentException error)
        {
            throw new AgentException("error generating response: " + error.Message, error);
        }

        await SayAsync("Tester agent message: " + answer);
        return answer;
    }

    private Task<PartyReply> TellTargetAsync(string text, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Remember(TranscriptRole.Tester, text);
        return _target.SayAsync(AgentTurn.Text(text), stop);
    }

    private async Task<bool> HasEndedAsync(PartyReply heard)
    {
        if (heard.End is null)
        {
            return false;
        }

        if (_test.Tester is null && heard.Text.Length > 0)
        {
            await SayAsync("Voiceflow message: " + heard.Text);
            Remember(TranscriptRole.Agent, heard.Text);
        }

        await SayAsync($"Voiceflow agent session ended (reason: {heard.EndReason})");
        return true;
    }

    private async Task<bool> IsAchievedAsync(CancellationToken stop)
    {
        var (achieved, problem) = await _model.JudgeAsync(_transcript, stop);
        if (problem is not null)
        {
            await SayAsync("Error checking goal: " + problem);
        }

        return _isAchieved = achieved is true;
    }

    private async Task<string?> JudgeFinallyAsync(CancellationToken stop)
    {
        var (achieved, problem) = await _model.JudgeAsync(_transcript, stop);
        if (problem is not null)
        {
            await SayAsync("Error in final goal check: " + problem);
        }

        _isAchieved = achieved is true;
        if (_isAchieved)
        {
            await SayAsync($"{(_test.Tester is null ? "Agent" : "Voiceflow agent")} test completed successfully in {_step} steps");
            return null;
        }

        var steps = _test.MaxSteps.ToString(CultureInfo.InvariantCulture);
        return $"goal not achieved within {steps} steps" + (problem is null ? "" : $" ({problem})");
    }

    private static async Task<T> TryStepAsync<T>(string failure, Task<T> step)
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

    private void Remember(string role, string text)
    {
        if (text.Length > 0)
        {
            _transcript.Add(new TranscriptLine(role, text));
        }
    }

    private ValueTask SayAsync(string line) => _stage.Lines.WriteAsync(line);
}

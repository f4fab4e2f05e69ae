using Harness.Agents;

namespace Harness.Suites;

/// <summary>The conversation of an agent-to-agent test as both kinds of tester share it: the target, the transcript, the judge.</summary>
internal sealed class AgentTestTalk
{
    private readonly TestStage _stage;
    private readonly AgentTest _test;
    private readonly AgentParty _target;
    private readonly List<TranscriptLine> _transcript = [];

    public AgentTestTalk(TestStage stage, AgentTest test)
    {
        (_stage, _test) = (stage, test);
        Model = new TesterModel(stage, test);
        _target = new AgentParty(stage.Conversation, stage.Lines, test.TargetVariables);
    }

    public TesterModel Model { get; }

    public SuiteLines Lines => _stage.Lines;

    public IReadOnlyList<TranscriptLine> Transcript => _transcript;

    /// <summary>The step under way, from 1; 0 before the first.</summary>
    public int Step { get; set; }

    /// <summary>True once the judge has said so.</summary>
    public bool IsAchieved { get; private set; }

    public AgentTestReport Report() => new(
        _test.Goal, Step, IsAchieved, [.. _transcript.Select(line => line with { Text = SuiteReportReductions.Shorten(line.Text) })]);

    public ValueTask TellAsync(string line) => _stage.Lines.WriteAsync(line);

    /// <summary>Adds a line to what judge and tester see; silence is not a line.</summary>
    public void Remember(string role, string text)
    {
        if (text.Length > 0)
        {
            _transcript.Add(new TranscriptLine(role, text));
        }
    }

    /// <summary>Begins the target's conversation. Where the session is not new it is under way already, and the tester speaks first.</summary>
    /// <param name="line">Said before the launch.</param>
    /// <param name="failure">Begins the failure when it cannot be launched.</param>
    /// <param name="stop">Aborts the call.</param>
    public async Task<PartyReply> LaunchTargetAsync(string line, string failure, CancellationToken stop)
    {
        if (!_stage.IsNewSession)
        {
            return new PartyReply("", End: null);
        }

        await TellAsync(line);
        return await StepException.GuardAsync(failure, _target.SayAsync(AgentTurn.Launch, stop));
    }

    /// <summary>Says the tester's text to the target.</summary>
    public Task<PartyReply> TellTargetAsync(string text, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Remember(TranscriptRole.Tester, text);
        return _target.SayAsync(AgentTurn.Text(text), stop);
    }

    /// <summary>Asks the judge within a step; that it cannot be asked is only said, because it is asked again.</summary>
    public async Task<bool> JudgeAsync(CancellationToken stop)
    {
        var (achieved, problem) = await Model.JudgeAsync(_transcript, stop);
        if (problem is not null)
        {
            await TellAsync("Error checking goal: " + problem);
        }

        return IsAchieved = achieved is true;
    }

    /// <summary>Asks the judge for the last time.</summary>
    /// <returns>Null, or the test's failure.</returns>
    public async Task<string?> JudgeFinallyAsync(CancellationToken stop)
    {
        var (achieved, problem) = await Model.JudgeAsync(_transcript, stop);
        if (problem is not null)
        {
            await TellAsync("Error in final goal check: " + problem);
        }

        IsAchieved = achieved is true;
        return IsAchieved ? null : $"goal not achieved within {_test.MaxSteps} steps" + (problem is null ? "" : $" ({problem})");
    }

    public async Task TellEndAsync(PartyReply heard) => await TellAsync($"Voiceflow agent session ended (reason: {heard.EndReason})");
}

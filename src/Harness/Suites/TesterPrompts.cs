using Harness.Agents;

namespace Harness.Suites;

/// <summary>What the language model of an agent-to-agent test is told.</summary>
internal static class TesterPrompts
{
    /// <summary>To the tester: who it plays, and the conversation with its own words as the assistant's.</summary>
    public static IReadOnlyList<ModelMessage> NextMessage(AgentTest test, int step, IEnumerable<TranscriptLine> transcript)
    {
        var knows = test.UserInformation.Count == 0
            ? "You were given no personal details."
            : "Your details: " + string.Join("; ", test.UserInformation.Select(info => $"{info.Name} = {info.Value}")) + ".";
        var role =
            $"""
            You play a customer who chats with an automated agent. The agent's messages come from the user; yours are the assistant's.
            Who you are: {test.Persona}
            What you want to get done: {test.Goal}
            {knows}
            Write only your next chat message: short, in character, one step closer to what you want.
            This is message {step} of at most {test.MaxSteps}.
            """;
        var turns = transcript.Select(line => new ModelMessage(line.Role == TranscriptRole.Tester ? "assistant" : "user", line.Text));
        return [new ModelMessage("system", role), .. turns];
    }

    /// <summary>To the judge: is the goal reached? The answer must be YES or NO.</summary>
    public static IReadOnlyList<ModelMessage> Judge(string goal, IEnumerable<TranscriptLine> transcript) =>
    [
        new ModelMessage("system", "You judge test conversations between a tester and an agent. You answer with one word: YES or NO."),
        new ModelMessage(
            "user",
            $"""
            The tester's goal: {goal}

            The conversation so far:
            {string.Join('\n', transcript.Select(line => $"{(line.Role == TranscriptRole.Tester ? "Tester" : "Agent")}: {line.Text}"))}

            Does the conversation show that this goal has been reached? YES or NO.
            """),
    ];

    /// <summary>Does the agent ask for a personal detail? The answer is its name in the list, <c>INVENT:kind</c>, or <c>NONE</c>.</summary>
    public static IReadOnlyList<ModelMessage> FindRequest(AgentTest test, string agentMessage, string draft) =>
    [
        new ModelMessage("system", "You find out whether a message asks its reader for a personal detail. You answer with one word."),
        new ModelMessage(
            "user",
            $"""
            The message: {agentMessage}
            The reader is about to answer: {draft}
            Details the reader can give: {string.Join(", ", test.UserInformation.Select(info => info.Name).DefaultIfEmpty("none"))}

            Answer NONE when no personal detail is asked for. When one of the listed details is asked for, answer with its name as listed.
            When another one is asked for, answer INVENT: and its kind, such as INVENT:email.
            """),
    ];

    /// <summary>A made-up personal detail.</summary>
    public static IReadOnlyList<ModelMessage> Invent(string kind) =>
    [
        new ModelMessage("system", "You make up plausible personal details of people who do not exist. You answer with the detail alone."),
        new ModelMessage("user", $"Make up one: {kind}"),
    ];
}

/// <summary>Who said a line of an agent-to-agent test.</summary>
internal static class TranscriptRole
{
    public const string Tester = "tester";
    public const string Agent = "agent";
}

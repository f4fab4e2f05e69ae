namespace Harness.Suites;

/// <summary>What is left out of a report that is too large, each step on top of the one before it.</summary>
internal static class SuiteReportReductions
{
    /// <summary>Longest text of one message, error or transcript line in a report, in characters.</summary>
    public const int MaxText = 2_000;

    /// <summary>Most messages of one turn in a report.</summary>
    public const int MaxMessages = 50;

    private delegate IEnumerable<TestReport> Step(IEnumerable<TestReport> tests);

    public static IEnumerable<Func<IReadOnlyList<TestReport>, IReadOnlyList<TestReport>>> All
    {
        get
        {
            Step[] steps = [WithoutMessages, WithoutPassedValidations, WithoutGoodInteractions, FailedOnly, None];
            return steps.Select((_, last) => new Func<IReadOnlyList<TestReport>, IReadOnlyList<TestReport>>(
                tests => [.. steps.Take(last + 1).Aggregate<Step, IEnumerable<TestReport>>(tests, (left, step) => step(left))]));
        }
    }

    /// <summary>The text, cut with a word on how much is missing when it is longer than a report holds.</summary>
    public static string Shorten(string text)
    {
        if (text.Length <= MaxText)
        {
            return text;
        }

        var length = char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText;
        return $"{text[..length]}… ({text.Length - length} more characters)";
    }

    /// <summary>The first messages, with a word on how many are missing.</summary>
    public static IReadOnlyList<string> Shorten(IReadOnlyCollection<string> messages) =>
        messages.Count <= MaxMessages
            ? [.. messages.Select(Shorten)]
            : [.. messages.Take(MaxMessages).Select(Shorten), $"… ({messages.Count - MaxMessages} more messages)"];

    private static IEnumerable<TestReport> WithoutMessages(IEnumerable<TestReport> tests) => tests.Select(test => test with
    {
        Interactions = [.. test.Interactions.Select(interaction => interaction with { Messages = [] })],
        Agent = test.Agent is null ? null : test.Agent with { Transcript = [] },
    });

    private static IEnumerable<TestReport> WithoutPassedValidations(IEnumerable<TestReport> tests) => tests.Select(test => test with
    {
        Interactions =
        [
            .. test.Interactions.Select(interaction =>
                interaction.Outcome == SuiteOutcome.Failed ? interaction : interaction with { Validations = [] }),
        ],
    });

    private static IEnumerable<TestReport> WithoutGoodInteractions(IEnumerable<TestReport> tests) => tests.Select(test => test with
    {
        Interactions = [.. test.Interactions.Where(interaction => interaction.Outcome == SuiteOutcome.Failed)],
    });

    private static IEnumerable<TestReport> FailedOnly(IEnumerable<TestReport> tests) =>
        tests.Where(test => test.Outcome == SuiteOutcome.Failed);

    private static IEnumerable<TestReport> None(IEnumerable<TestReport> tests) => [];
}

using Harness.Agents;

namespace Harness.Tests.Suites;

/// <summary>A request with one agent-to-agent test, and models that play their part in it.</summary>
internal static class TesterScript
{
    public static string Request(string more = "", bool newSession = false) =>
        $$$$"""
        {"voiceflow_subdomain":"staging","suite":{"name":"S","environment_name":"production","new_session_per_test":{{{{(newSession ? "true" : "false")}}}},
        "tests":[{"id":"t1","test":{"name":"A","agent":{"maxSteps":3,{{{{more}}}}"goal":"G","persona":"p"}}}]}}
        """;

    // Answers testers and judges in the order given; every other question with the detail.
    public static Func<ModelPrompt, string> Script(string[] next, string[] judge, string detail = "NONE")
    {
        var (says, judges) = (new Queue<string>(next), new Queue<string>(judge));
        return prompt => IsNext(prompt) ? says.Count > 0 ? says.Dequeue() : "more" : IsJudge(prompt) ? judges.Dequeue() : detail;
    }

    public static bool IsNext(ModelPrompt prompt) => prompt.Messages[0].Content.StartsWith("You play a customer", StringComparison.Ordinal);

    public static bool IsJudge(ModelPrompt prompt) => prompt.Messages[0].Content.StartsWith("You judge", StringComparison.Ordinal);
}

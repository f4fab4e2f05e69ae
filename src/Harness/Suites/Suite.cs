using System.Text.Json;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>A suite of conversation tests, read from any format. What a format leaves out has the default named here.</summary>
public sealed record Suite
{
    /// <summary>Most tests that may run at once.</summary>
    public const int MaxParallel = 64;

    /// <summary>Name for people; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>What the suite is for; may be empty.</summary>
    public string Description { get; init; } = "";

    /// <summary>The agent's environment under test, such as <c>production</c>; empty for the agent's own default.</summary>
    public string EnvironmentName { get; init; } = "";

    /// <summary>Each test talks as a new user, so that none sees what an earlier one left behind. Default: one user for all.</summary>
    public bool NewSessionPerTest { get; init; }

    /// <summary>The first failure ends the suite and the rest is skipped. Default: true.</summary>
    public bool FailFast { get; init; } = true;

    /// <summary>
    /// Tests that run at once, 1 to <see cref="MaxParallel"/>. More than one implies <see cref="NewSessionPerTest"/>, because a
    /// conversation takes one turn at a time. Default: 1.
    /// </summary>
    public int Parallel { get; init; } = 1;

    /// <summary>Model and temperature for tests that name none; null: none.</summary>
    public ModelSettings? OpenAIConfig { get; init; }

    /// <summary>Who answers, with the keys and addresses of this request.</summary>
    public AgentSettings Agent { get; init; } = new();

    /// <summary>In the order they run and are reported.</summary>
    public IReadOnlyList<SuiteEntry> Tests { get; init; } = [];

    /// <summary>Says which suite, never the agent's key.</summary>
    public override string ToString() => $"Suite {{ Name = {Name}, Tests = {Tests.Count} }}";
}

/// <summary>A test and the id its suite knows it by.</summary>
public sealed record SuiteEntry(string Id, SuiteTest Test);

/// <summary>One test: a written conversation, or an agent that leads one.</summary>
public sealed record SuiteTest
{
    /// <summary>Name for people; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>What the test shows; may be empty.</summary>
    public string Description { get; init; } = "";

    /// <summary>The written conversation; not looked at when <see cref="AgentTest"/> is there.</summary>
    public IReadOnlyList<Interaction> Interactions { get; init; } = [];

    /// <summary>An agent-to-agent test; null for a written conversation.</summary>
    public AgentTest? AgentTest { get; init; }
}

/// <summary>A tester agent talks to the agent under test until a judge finds the goal achieved.</summary>
public sealed record AgentTest
{
    /// <summary>What the conversation must achieve.</summary>
    public string Goal { get; init; } = "";

    /// <summary>Who the tester plays.</summary>
    public string Persona { get; init; } = "";

    /// <summary>The judge's last word comes when this step is reached, so at most one text fewer is exchanged. Default: 10.</summary>
    public int MaxSteps { get; init; } = 10;

    /// <summary>What the tester knows about itself and gives when asked.</summary>
    public IReadOnlyList<UserInformation> UserInformation { get; init; } = [];

    /// <summary>Model and temperature of tester and judge; null: the suite's, else gpt-4o at 0.7.</summary>
    public ModelSettings? OpenAIConfig { get; init; }

    /// <summary>A Voiceflow agent as the tester; null: a language model is.</summary>
    public VoiceflowTester? Tester { get; init; }

    /// <summary>Variables set in the agent under test with its first turn; null for none.</summary>
    public IReadOnlyDictionary<string, JsonElement>? TargetVariables { get; init; }
}

/// <summary>Something the tester knows about itself, such as <c>email</c>.</summary>
public sealed record UserInformation(string Name, string Value);

/// <summary>Model and temperature of an OpenAI-compatible endpoint; null: the default of where they are used.</summary>
public sealed record ModelSettings(string? Model, double? Temperature);

/// <summary>A second Voiceflow agent that plays the user.</summary>
/// <param name="EnvironmentName">Its environment; empty for its default.</param>
/// <param name="ApiKey">Its own Dialog Manager API key; null for the server's.</param>
/// <param name="Variables">Set with its launch; null for none.</param>
public sealed record VoiceflowTester(
    string EnvironmentName, string? ApiKey, IReadOnlyDictionary<string, JsonElement>? Variables)
{
    /// <summary>Says which environment, never the key.</summary>
    public override string ToString() => $"VoiceflowTester {{ EnvironmentName = {EnvironmentName} }}";
}

using Harness.Agents;
using Harness.Executions;

namespace Harness.Suites;

/// <summary>Runs suites: what it says line by line is the seed's log.</summary>
public sealed class SuiteRunner
{
    private readonly AgentFactory _agents;

    /// <summary>One runner serves all executions.</summary>
    public SuiteRunner(AgentFactory agents, TimeProvider time) => _agents = agents;

    /// <summary>What to start for a suite: its name, record lines, the agent that answers, and the body that runs it.</summary>
    /// <exception cref="ExecutionInputException">The suite asks for an agent that cannot be had.</exception>
    public ExecutionPlan Plan(Suite suite) => throw new ExecutionInputException($"Not yet {_agents} {suite.Name}");
}

/// <summary>A suite, read from any format.</summary>
public sealed record Suite
{
    /// <summary>Name for people.</summary>
    public string Name { get; init; } = "";
}

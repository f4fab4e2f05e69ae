using Harness.Agents;
using Harness.Executions;
using Microsoft.Extensions.Options;

namespace Harness.Suites;

/// <summary>Runs suites: what it says line by line is the seed's log. Thread-safe; one runner serves all executions.</summary>
public sealed class SuiteRunner
{
    private readonly SuiteTools _tools;

    /// <summary>Agents and models come from the factory, durations from the clock.</summary>
    public SuiteRunner(AgentFactory agents, TimeProvider time, IOptions<ExecutionOptions> options)
        : this(new SuiteTools(agents.Create, agents.CreateModel, time)
        {
            // Below the engine's own limit, past which details are dropped whole.
            MaxReportBytes = options.Value.MaxDetailsBytes / 16 * 15,
        })
    {
    }

    internal SuiteRunner(SuiteTools tools) => _tools = tools;

    /// <summary>
    /// What to start for a suite: its name, record lines, the agent that answers, and the body that runs it. The details of its result are
    /// a <see cref="SuiteReport"/>.
    /// </summary>
    /// <exception cref="ExecutionInputException">The suite asks for an agent that cannot be had.</exception>
    public ExecutionPlan Plan(Suite suite)
    {
        var agent = CreateAgent(suite);
        var request = new ExecutionRequest
        {
            Kind = "suite",
            Name = suite.Name,
            Greeting = "Test execution started",
            Preamble = ["Starting test suite execution...", "Suite: " + suite.Name, "Environment: " + suite.EnvironmentName],
            ClosingLine = DescribeEnd,
            Facts = new Dictionary<string, string> { ["agent"] = agent.Description },
        };
        return new ExecutionPlan(request, (log, stop) => RunAsync(suite, agent, line => log.WriteAsync(line), stop));
    }

    internal Task<ExecutionResult> RunAsync(Suite suite, IAgent agent, Func<string, ValueTask> write, CancellationToken stop) =>
        new SuiteRun(suite, agent, _tools, write).RunAsync(stop);

    private static string? DescribeEnd(ExecutionState state) => state.Status switch
    {
        ExecutionStatus.Completed => "Test suite execution completed successfully",
        ExecutionStatus.Failed => "Test suite execution failed: " + state.Error,
        ExecutionStatus.Canceled => "Test suite execution cancelled",
        _ => null,
    };

    private IAgent CreateAgent(Suite suite)
    {
        try
        {
            return _tools.Agents(suite.Agent);
        }
        catch (AgentException error)
        {
            throw new ExecutionInputException(error.Message, error);
        }
    }
}

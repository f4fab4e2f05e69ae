namespace Harness.Cli.Runs;

/// <summary>A run, and what its view has to know of it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Interactions">How many interactions it has; 0: nobody knows.</param>
internal sealed record StartedRun(ISuiteRun Run, string Name, int Interactions);

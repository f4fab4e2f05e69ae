namespace Harness.Benchmarks.Transports;

/// <summary>A server program and the clients that speak to it: one row of the tables.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Program">Its command line; contenders of one program are measured in one process.</param>
/// <param name="Protocol">Makes a client's side.</param>
/// <param name="Works">The works it takes part in.</param>
internal sealed record Contender(string Name, IReadOnlyList<string> Program, Func<ILoadProtocol> Protocol, params string[] Works)
{
    /// <summary>Starts a process of it.</summary>
    public MeasuredServer Start() => MeasuredServer.Start(Name, Program);
}

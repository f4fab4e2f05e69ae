using Harness.Cli.Hub;

namespace Harness.Cli.Runs;

/// <summary>A suite, or a workflow, that runs somewhere. Its events are the same documents wherever that is.</summary>
internal interface ISuiteRun : IAsyncDisposable
{
    /// <summary>Where it runs, for people.</summary>
    string Place { get; }

    /// <summary>What somebody has to do when it is suspended.</summary>
    string ToResume(string id);

    /// <summary>Every event up to and with the <c>result</c>. Once, by one reader.</summary>
    /// <exception cref="RunException">The run or the way to it was lost.</exception>
    IAsyncEnumerable<HubEvent> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Asks for the end of the run; its result still comes.</summary>
    Task CancelAsync();
}

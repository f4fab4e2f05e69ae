using System.ComponentModel.DataAnnotations;

namespace Harness.Executions;

/// <summary>Limits of the execution engine, bound from the configuration section <c>Harness:Executions</c>.</summary>
public sealed class ExecutionOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Harness:Executions";

    /// <summary>Executions whose bodies run at once; later ones wait as <c>pending</c>. Default: 1,000 (bodies mostly wait for a network).</summary>
    [Range(1, 100_000)]
    public int MaxConcurrent { get; set; } = 1_000;

    /// <summary>Executions that may wait for a place; further ones are refused. Default: 10,000.</summary>
    [Range(0, 1_000_000)]
    public int MaxPending { get; set; } = 10_000;

    /// <summary>
    /// Executions that are suspended at once, from which on none is started that could be suspended too; those that run already may be, and all can be
    /// resumed. Each keeps what it needs to go on, and the newest lines of its log. Those from before a restart count too. Default: 100,000.
    /// </summary>
    [Range(1, 10_000_000)]
    public int MaxSuspended { get; set; } = 100_000;

    /// <summary>Longest time a body may run; a request may ask for less. Default: 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "7.00:00:00")]
    public TimeSpan TimeLimit { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a cancelled body may take to unwind before the execution is closed without it. Default: 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan CancelGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a finished execution can still be found and replayed. Default: 1 hour.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Finished executions kept at most; the oldest go first. Default: 10,000.</summary>
    [Range(0, 10_000_000)]
    public int MaxFinished { get; set; } = 10_000;

    /// <summary>
    /// Frames of one execution kept in memory, in bytes. When it is full the oldest segment goes, and a reader that had not
    /// come that far is told by <c>truncated</c>. Default: 128 MiB, some 600,000 lines of 100 characters.
    /// </summary>
    [Range(64 * 1024, 1024 * 1024 * 1024)]
    public int WindowBytes { get; set; } = 128 * 1024 * 1024;

    /// <summary>
    /// Frames of all executions kept in memory, in bytes. When it is full the oldest finished executions go, then each running
    /// one keeps no more than its newest segments. Default: 256 MiB.
    /// </summary>
    [Range(1024 * 1024, 1024L * 1024 * 1024 * 1024)]
    public long TotalWindowBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>Longest line, in UTF-8 bytes; a longer one is cut and says so at its end. Default: 65,536.</summary>
    [Range(256, 1024 * 1024)]
    public int MaxLineBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// Most bytes of lines that a status or result frame repeats; past it only the newest are in it, with
    /// <c>logs_truncated</c>. Default: 512 KiB, so that clients with a 1 MiB message limit still read every result.
    /// </summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxRecordBytes { get; set; } = 512 * 1024;

    /// <summary>Most bytes of structured details in a result frame; larger ones are left out and say so. Default: 384 KiB.</summary>
    [Range(1024, 16 * 1024 * 1024)]
    public int MaxDetailsBytes { get; set; } = 384 * 1024;
}

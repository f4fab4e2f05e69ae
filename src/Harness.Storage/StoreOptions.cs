using System.ComponentModel.DataAnnotations;
using Harness.Executions;

namespace Harness.Storage;

/// <summary>Where executions are kept and for how long, bound from the configuration section <c>Harness:Store</c>.</summary>
public sealed class StoreOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Harness:Store";

    /// <summary>Folder of the SQLite database; made when it is missing. Default: <c>.harness</c> in the current folder.</summary>
    [Required]
    public string Data { get; set; } = ".harness";

    /// <summary>
    /// A PostgreSQL connection string, such as <c>Host=db;Database=harness;Username=…;Password=…</c>. Null or empty: SQLite. A secret: no
    /// message ever repeats it, only its host and database.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>True: nothing is kept beyond the process, and the other settings do not matter. Default: false.</summary>
    public bool MemoryOnly { get; set; }

    /// <summary>What "kept" means. Default: <see cref="StoreDurability.Commit"/>.</summary>
    [EnumDataType(typeof(StoreDurability))]
    public StoreDurability Durability { get; set; } = StoreDurability.Commit;

    /// <summary>How long an execution is kept after it has ended. Default: 30 days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Finished executions kept at most; those that ended first go first. Default: 100,000.</summary>
    [Range(0, 100_000_000)]
    public int MaxFinished { get; set; } = 100_000;

    /// <summary>
    /// Packed bytes of frames and details kept at most, before they are compressed: the disk holds less. When they are more, executions that ended first go first; if that is not
    /// enough, the longest of the running ones lose their oldest frames. Of space that becomes free in SQLite's file, an eighth of the rest stays for what comes next. Default: 10 GiB.
    /// </summary>
    [Range(1024L * 1024, long.MaxValue)]
    public long MaxBytes { get; set; } = 10L * 1024 * 1024 * 1024;

    /// <summary>How often what is too old or too much is looked for. Default: 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan SweepPeriod { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a lost or unreachable PostgreSQL is tried again before a call fails, at start too. A statement that takes a third of it is tried once
    /// more on a new connection. Default: 30 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RetryTimeLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The rule a sweep at <paramref name="now"/> goes by.</summary>
    public RetentionRule ToRule(DateTimeOffset now) => new(now - Retention, MaxFinished, MaxBytes);
}

/// <summary>When the store says that something is kept.</summary>
public enum StoreDurability
{
    /// <summary>
    /// It survives a killed process. SQLite: written to the operating system, so only a power cut can take the last seconds.
    /// PostgreSQL: committed, as safe as the database is set up to be.
    /// </summary>
    Commit,

    /// <summary>It survives a power cut: SQLite waits for the disk with every commit. PostgreSQL: as <see cref="Commit"/>.</summary>
    Full,

    /// <summary>
    /// At once, and written behind: the fastest, and a killed process loses what was not written yet, although it was shown. What then
    /// cannot be written is told by the next append of the same execution. Its end is waited for: a result that was shown is there.
    /// </summary>
    None,
}

using Harness.Executions;

namespace Harness.Server.Transports;

/// <summary><c>suspend</c>: let one stand still.</summary>
internal sealed record SuspendCommand(string Id, string? Reason)
{
    /// <exception cref="CommandException">A field cannot be used.</exception>
    public static SuspendCommand Read(CommandFields fields) => new(
        CommandWords.Id(fields), fields.Text("reason", CommandLimits.ReasonLength) is { Length: > 0 } reason ? reason : null);
}

/// <summary>
/// <c>resume</c>: let one go on, with <c>data</c>, where it stopped or <c>at</c> a place its kind knows; with <c>suspended_at</c> only from that suspension.
/// </summary>
internal sealed record ResumeCommand(string Id, ResumeRequest Request)
{
    /// <exception cref="CommandException">A field cannot be used.</exception>
    public static ResumeCommand Read(CommandFields fields) => new(
        CommandWords.Id(fields),
        new ResumeRequest(fields.Raw("data"), fields.Text("at", CommandLimits.NameLength) is { Length: > 0 } at ? at : null, fields.Time("suspended_at")));
}

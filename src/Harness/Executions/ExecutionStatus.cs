namespace Harness.Executions;

/// <summary>Where an execution stands. <see cref="Completed"/>, <see cref="Failed"/> and <see cref="Canceled"/> are final.</summary>
public enum ExecutionStatus
{
    /// <summary>Waits for a free place among the concurrent bodies.</summary>
    Pending,

    /// <summary>Its body runs.</summary>
    Running,

    /// <summary>Its body has ended for now and waits to be resumed from outside.</summary>
    Suspended,

    /// <summary>Its body ended well.</summary>
    Completed,

    /// <summary>Its body ended with an error, or took longer than its time limit.</summary>
    Failed,

    /// <summary>It was cancelled before its body ended.</summary>
    Canceled,
}

/// <summary>The words statuses have on the wire (PROTOCOL, "Server to client").</summary>
public static class ExecutionStatusWords
{
    /// <summary>True for the three statuses that never change again.</summary>
    public static bool IsFinal(this ExecutionStatus status) =>
        status is ExecutionStatus.Completed or ExecutionStatus.Failed or ExecutionStatus.Canceled;

    /// <summary>Reads a status as <see cref="ToWire"/> writes it; null: no such status.</summary>
    public static ExecutionStatus? Parse(string wire)
    {
        foreach (var status in Enum.GetValues<ExecutionStatus>())
        {
            if (status.ToWire() == wire)
            {
                return status;
            }
        }

        return null;
    }

    /// <summary>The status as clients read it: lower case, and <c>cancelled</c> with two l.</summary>
    public static string ToWire(this ExecutionStatus status) => status switch
    {
        ExecutionStatus.Pending => "pending",
        ExecutionStatus.Running => "running",
        ExecutionStatus.Suspended => "suspended",
        ExecutionStatus.Completed => "completed",
        ExecutionStatus.Failed => "failed",
        ExecutionStatus.Canceled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Not an execution status"),
    };
}

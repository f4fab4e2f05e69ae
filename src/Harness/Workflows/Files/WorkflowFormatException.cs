namespace Harness.Workflows;

/// <summary>A workflow's file cannot be read as one. The message names file, line and field, and says what to change.</summary>
public sealed class WorkflowFormatException : Exception
{
    /// <inheritdoc cref="WorkflowFormatException"/>
    public WorkflowFormatException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

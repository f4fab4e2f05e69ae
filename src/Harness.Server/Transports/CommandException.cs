using System.Globalization;

namespace Harness.Server.Transports;

/// <summary>A command that cannot be done as asked. Each transport words it in its own form; text and code are the same on all.</summary>
internal sealed class CommandException : Exception
{
    /// <summary>The code of a command that failed because the store did: it may work later.</summary>
    public const string StoreFailed = "store_failed";

    /// <param name="message">What is wrong and what to do, for people; to the letter where clients of the seed know it. Never a secret.</param>
    /// <param name="code">A stable word for programs (docs/protocol.md).</param>
    /// <param name="id">The execution it is about; null: none.</param>
    public CommandException(string message, string code, string? id = null)
        : base(message)
    {
        Code = code;
        Id = id;
    }

    /// <summary>A stable word for programs.</summary>
    public string Code { get; }

    /// <summary>The execution it is about; null: none.</summary>
    public string? Id { get; }

    /// <summary>A field whose value cannot be used.</summary>
    public static CommandException Field(string name, string demand) => new($"{name} must be {demand}", "invalid_field");

    /// <summary>A number that is none, or out of its range.</summary>
    public static CommandException Range(string name, long least, long most) =>
        Field(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));
}

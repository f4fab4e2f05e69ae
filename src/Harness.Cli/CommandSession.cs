using Harness.Cli.Runs;

namespace Harness.Cli;

/// <summary>What all commands do with their ends: a sentence on standard error when they cannot go on, and Ctrl-C.</summary>
internal static class CommandSession
{
    /// <param name="runAsync">The command: gets the interruption's token, gives the exit code.</param>
    /// <param name="onInterrupt">Said on standard error after Ctrl-C; null for nothing.</param>
    public static Task<int> RunAsync(Func<CancellationToken, Task<int>> runAsync, string? onInterrupt = null) => RunAsync(runAsync, () => onInterrupt);

    /// <inheritdoc cref="RunAsync(Func{CancellationToken, Task{int}}, string?)"/>
    public static async Task<int> RunAsync(Func<CancellationToken, Task<int>> runAsync, Func<string?> onInterrupt)
    {
        StandardOutput.Use();
        using var interruption = new Interruption();
        try
        {
            return await runAsync(interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            await (onInterrupt() is { } last ? Console.Error.WriteLineAsync(last) : Task.CompletedTask);
            return interruption.ExitCode;
        }
        catch (ReaderGoneException)
        {
            return ExitCode.NobodyReads;
        }
        catch (RunException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.CouldNotRun;
        }
    }
}

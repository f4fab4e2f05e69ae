using System.Text.Json;
using Harness.Executions;

namespace Harness.Cli.Runs;

/// <summary>A report to write when a run has ended.</summary>
/// <param name="Format"><c>json</c> or <c>junit</c>.</param>
/// <param name="File">Where to; what is there is replaced.</param>
internal sealed record RunOutput(string Format, string File)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, MaxDepth = JsonDepth.MaxKept };

    /// <summary>Writes every report that can be written: a file that cannot does not keep the others from it.</summary>
    /// <exception cref="RunException">One or more of the files cannot be written.</exception>
    public static async Task WriteAllAsync(IReadOnlyList<RunOutput> outputs, RunReport report, IReadOnlyList<string> lines)
    {
        var failures = new List<RunException>();
        foreach (var output in outputs)
        {
            try
            {
                await output.WriteAsync(report, lines);
            }
            catch (RunException failure)
            {
                failures.Add(failure);
            }
        }

        if (failures.Count > 0)
        {
            throw new RunException(string.Join('\n', failures.Select(failure => failure.Message)), failures[0]);
        }
    }

    private async Task WriteAsync(RunReport report, IReadOnlyList<string> lines)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(File)) is { } folder)
            {
                Directory.CreateDirectory(folder);
            }

            await using var stream = System.IO.File.Create(File);
            if (Format == "junit")
            {
                await JUnitReport.WriteAsync(stream, report, lines);
            }
            else
            {
                await JsonSerializer.SerializeAsync(stream, report.Document, Indented);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunException($"Cannot write {File}: {exception.Message}", exception);
        }
    }
}

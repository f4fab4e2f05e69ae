using System.CommandLine;
using Harness.Cli.Runs;

namespace Harness.Cli.Storage;

/// <summary><c>harness export ID</c>: what one execution said, as a file.</summary>
internal static class ExportCommand
{
    public const string Examples = """
          harness export 3f0c… > run.jsonl                     Every event, one JSON object per line, from .harness of this folder
          harness export 3f0c… --format junit -o run.xml       A suite's result for a build server
          harness export 3f0c… --data /var/lib/harness         From another folder, also while a server works with it
          harness export 3f0c… --server http://hub:8080        From a server

        Exit codes: 0 it is written, 2 there is none, or it cannot be written so.
        """;

    public static Command Create()
    {
        var id = new Argument<string>("id") { Description = "The execution's id" };
        var format = new Option<string>("--format")
        {
            Description = "jsonl: every event; junit: the result of a suite, as XML",
            DefaultValueFactory = _ => "jsonl",
        };
        format.AcceptOnlyFromAmong("jsonl", "junit");
        var output = new Option<string>("--output", "-o") { Description = "The file to write [default: standard output]", HelpName = "file" };
        var (store, server) = (new StoreFlags(makes: false), new ServerFlags("Ask this server for it"));
        var command = new Command("export", "Writes what one execution said to a file.") { id, format, output };
        store.AddTo(command, server);
        command.SetAction((parsed, _) => CommandSession.RunAsync(async stop =>
        {
            await using var export = server.ToClient(parsed) is { } client
                ? ExecutionExport.Of(client, parsed.GetRequiredValue(id))
                : await ExecutionExport.OpenAsync(store.ToOptions(parsed), parsed.GetRequiredValue(id), stop);
            if (parsed.GetValue(output) is { } file)
            {
                await WriteFileAsync(export, parsed.GetValue(format)!, file, stop);
            }
            else
            {
                await using var stdout = StandardOutput.Open();
                await WriteAsync(export, parsed.GetValue(format)!, stdout, stop);
            }

            return ExitCode.Passed;
        }));
        return command;
    }

    // Into a file beside it first: what was there is replaced by a whole export or not at all.
    private static async Task WriteFileAsync(ExecutionExport export, string format, string file, CancellationToken cancellationToken)
    {
        var unfinished = file + ".part";
        try
        {
            if (IsNoPlainFile(file))
            {
                await using var there = File.Create(file);
                await WriteAsync(export, format, there, cancellationToken);
                return;
            }

            if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder)
            {
                Directory.CreateDirectory(folder);
            }

            await using (var stream = File.Create(unfinished))
            {
                await WriteAsync(export, format, stream, cancellationToken);
            }

            File.Move(unfinished, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunException($"Cannot write '{file}': {e.Message}", e);
        }
        finally
        {
            // Asked first: where there is no folder, to delete is an error.
            if (File.Exists(unfinished))
            {
                File.Delete(unfinished);
            }
        }
    }

    // A device, such as /dev/stdout, or a link stays what it is: a file moved to its place would replace it.
    private static bool IsNoPlainFile(string file) =>
        File.Exists(file) && (Path.GetFullPath(file).StartsWith("/dev/", StringComparison.Ordinal) || (File.GetAttributes(file) & FileAttributes.ReparsePoint) != 0);

    private static Task WriteAsync(ExecutionExport export, string format, Stream stream, CancellationToken cancellationToken) =>
        format == "junit" ? WriteJUnitAsync(export, stream, cancellationToken) : WriteLinesAsync(export, stream, cancellationToken);

    private static async Task WriteLinesAsync(ExecutionExport export, Stream stream, CancellationToken cancellationToken)
    {
        await using var buffered = new BufferedStream(stream, 64 * 1024);
        await foreach (var json in export.ReadAsync(cancellationToken))
        {
            buffered.Write(json.Span);
            buffered.WriteByte((byte)'\n');
        }
    }

    private static async Task WriteJUnitAsync(ExecutionExport export, Stream stream, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        RunReport? report = null;
        await foreach (var json in export.ReadAsync(cancellationToken))
        {
            var said = Hub.HubEvent.Parse(json.Span);
            if (said.Type == "log")
            {
                lines.Add(said.Message ?? "");
            }
            else if (said.Type == "result")
            {
                report = RunReport.From(export.Name, said.Data);
            }
        }

        await JUnitReport.WriteAsync(
            stream,
            report ?? throw new RunException($"Execution {export.Id} has not ended: there is no result to write yet. Its events: --format jsonl"),
            lines);
    }
}

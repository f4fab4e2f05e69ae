using Harness.Schemas;

namespace Harness.Workflows;

/// <summary>Reads workflows from YAML. What is misspelt is an error that names file, line and field.</summary>
public static class WorkflowReader
{
    /// <summary>Reads every <c>.yaml</c> and <c>.yml</c> file of a folder.</summary>
    /// <exception cref="WorkflowFormatException">The folder or a file cannot be read.</exception>
    public static IReadOnlyList<Workflow> ReadFolder(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Where(file => Path.GetExtension(file) is ".yaml" or ".yml").Order(StringComparer.Ordinal).Select(ReadFile)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new WorkflowFormatException($"The workflows in {folder} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Reads one file.</summary>
    /// <exception cref="WorkflowFormatException">It cannot be read.</exception>
    public static Workflow ReadFile(string file)
    {
        try
        {
            using var text = File.OpenText(file);
            return Read(file, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new WorkflowFormatException($"The workflow {file} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Reads YAML text.</summary>
    /// <param name="name">What it is called in errors; without its extension the id of a workflow that says none.</param>
    /// <param name="text">The YAML.</param>
    /// <exception cref="WorkflowFormatException">It is no workflow.</exception>
    public static Workflow Read(string name, TextReader text)
    {
        var root = YamlValue.Read(name, text).Members("id", "name", "purpose", "input", "result", "suspend", "resume", "steps");
        var id = root.Find("id")?.Text() ?? Path.GetFileNameWithoutExtension(name);
        var steps = new StepReader();
        var workflow = new Workflow
        {
            Id = id,
            Name = root.Find("name")?.Text() ?? id,
            Purpose = root.Find("purpose")?.Text(),
            Steps = steps.ReadList(root.Get("steps")),
            InputSchema = Schema(root.Find("input")),
            ResultSchema = Schema(root.Find("result")),
            SuspendSchema = Schema(root.Find("suspend")),
            ResumeSchema = Schema(root.Find("resume")),
        };
        steps.CheckReferences();
        try
        {
            return workflow.Checked();
        }
        catch (ArgumentException exception)
        {
            throw root.Owner.Error(exception.Message, exception);
        }
    }

    internal static JsonSchema? Schema(YamlValue? source)
    {
        if (source is null)
        {
            return null;
        }

        try
        {
            return JsonSchema.Parse(source.Json());
        }
        catch (JsonSchemaException exception)
        {
            throw source.Error(exception.Message, exception);
        }
    }
}

using System.Text.Json;

namespace Harness.Workflows;

/// <summary>Reads the steps of one file, and remembers which steps they look at.</summary>
internal sealed class StepReader
{
    private static readonly string[] Sorts = ["agent", "http", "condition", "parallel", "sleep", StepType.Wait, "set"];

    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly List<(string StepPath, YamlValue Place)> _references = [];

    /// <summary>Reads a list of steps; at least one.</summary>
    /// <exception cref="WorkflowFormatException">One is none.</exception>
    public IReadOnlyList<WorkflowStep> ReadList(YamlValue source)
    {
        IReadOnlyList<WorkflowStep> steps = [.. source.Items().Select(Read)];
        return steps.Count > 0 ? steps : throw source.Error("at least one step is expected here");
    }

    /// <exception cref="WorkflowFormatException">A step looks at one that is not there.</exception>
    public void CheckReferences()
    {
        foreach (var (path, place) in _references)
        {
            if (!Reference.IdsIn(path).Any(_ids.Contains))
            {
                throw place.Error($"{{{{steps.{path}}}}} looks at a step that is not there");
            }
        }
    }

    private WorkflowStep Read(YamlValue source)
    {
        var members = source.Members(["id", "name", "purpose", "repeatable", .. Sorts]);
        var sorts = Sorts.Where(sort => members.Find(sort) is not null).ToList();
        if (sorts.Count != 1)
        {
            throw source.Error(sorts.Count == 0
                ? $"what the step does is missing: one of {string.Join(", ", Sorts)}"
                : $"a step does one thing, not {string.Join(" and ", sorts)}");
        }

        var id = members.Get("id").Text();
        if (!Workflow.IsId(id))
        {
            throw members.Get("id").Error($"an id has 1 to {Workflow.MaxIdLength} letters, digits, dots, dashes and underscores, not '{id}'");
        }

        if (!_ids.Add(id))
        {
            throw members.Get("id").Error($"there are two steps '{id}'");
        }

        var what = members.Get(sorts[0]);
        var step = sorts[0] switch
        {
            "agent" => ReadAgent(id, what),
            "http" => ReadHttp(id, what),
            "condition" => ReadCondition(id, what),
            "parallel" => ReadParallel(id, what),
            "sleep" => ReadSleep(id, what),
            "set" => ReadSet(id, what),
            _ => ReadWait(id, what),
        };
        return step with
        {
            Name = members.Find("name")?.Text() ?? id,
            Purpose = members.Find("purpose")?.Text(),
            IsRepeatable = members.Find("repeatable")?.Flag() ?? step.IsRepeatable,
        };
    }

    private WorkflowStep ReadAgent(string id, YamlValue source)
    {
        var members = source.Members("id", "prompt", "schema");
        var (agent, prompt, schema) = (members.Get("id").Text(), Parse(members.Get("prompt")), WorkflowReader.Schema(members.Find("schema")));
        return new WorkflowStep
        {
            Id = id,
            Type = StepType.Agent,
            Run = (context, stop) => AgentStep.RunAsync(context, agent, prompt.EvaluateText(context), schema, stop),
        };
    }

    private WorkflowStep ReadHttp(string id, YamlValue source)
    {
        var call = HttpStep.Parse(source, Parse);
        return new WorkflowStep { Id = id, Type = StepType.Http, Run = call.RunAsync, IsRepeatable = call.IsRepeatable };
    }

    private WorkflowStep ReadCondition(string id, YamlValue source)
    {
        var members = source.Members("if", "then", "else");
        var condition = Condition.Parse(members.Get("if"));
        _references.AddRange(condition.StepPaths.Select(step => (step, source)));
        var then = ReadList(members.Get("then"));
        var otherwise = members.Find("else") is { } list ? ReadList(list) : null;
        return new WorkflowStep
        {
            Id = id,
            Type = StepType.When,
            Branches = otherwise is null ? [then] : [then, otherwise],
            IsRepeatable = true,
            Run = (context, stop) => condition.Holds(context) ? context.RunBranchAsync(then, context.Data, stop)
                : otherwise is not null ? context.RunBranchAsync(otherwise, context.Data, stop)
                : Task.FromResult(StepOutcome.Skipped(context.Data)),
        };
    }

    private WorkflowStep ReadParallel(string id, YamlValue source)
    {
        var members = source.Members("take", "branches");
        var isRace = members.Find("take") is { } take && take.Text() switch
        {
            "all" => false,
            "first" => true,
            var other => throw take.Error($"all or first is expected here, not '{other}'"),
        };
        IReadOnlyList<IReadOnlyList<WorkflowStep>> branches = [.. members.Get("branches").Items().Select(ReadList)];
        return new WorkflowStep
        {
            Id = id,
            Type = isRace ? StepType.Race : StepType.All,
            Branches = branches,
            IsRepeatable = true,
            Run = (context, stop) => isRace ? Branches.RaceAsync(context, branches, stop) : Branches.AllAsync(context, branches, stop),
        };
    }

    private static WorkflowStep ReadSleep(string id, YamlValue source)
    {
        var time = source.Time();
        return new WorkflowStep
        {
            Id = id,
            Type = StepType.Sleep,
            Run = (context, stop) => SleepStep.RunAsync(context, time, stop),
            IsRepeatable = true,
        };
    }

    // The data with these members on top.
    private WorkflowStep ReadSet(string id, YamlValue source)
    {
        var values = source.AllMembers().Select(member => (member.Name, Value: Parse(member.Value))).ToList();
        return new WorkflowStep
        {
            Id = id,
            Type = StepType.Set,
            IsRepeatable = true,
            Run = (context, _) =>
            {
                var data = new OrderedDictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var member in context.Data.ValueKind == JsonValueKind.Object ? context.Data.EnumerateObject() : default)
                {
                    data[member.Name] = member.Value;
                }

                foreach (var (name, value) in values)
                {
                    data[name] = value.Evaluate(context);
                }

                return Task.FromResult(StepOutcome.Completed(JsonSerializer.SerializeToElement(data)));
            },
        };
    }

    private WorkflowStep ReadWait(string id, YamlValue source)
    {
        var members = source.Members("reason", "data", "resume");
        var (reason, data) = (ParseOptional(members.Find("reason")), ParseOptional(members.Find("data")));
        return new WorkflowStep
        {
            Id = id,
            Type = StepType.Wait,
            ResumeSchema = WorkflowReader.Schema(members.Find("resume")),
            IsRepeatable = true,
            Run = (context, _) => Task.FromResult(context.IsAnswered
                ? StepOutcome.Completed(context.ResumeData.OrNull())
                : (StepOutcome)new StepSuspension(id, reason?.EvaluateText(context), data?.Evaluate(context) ?? default)),
        };
    }

    private Template? ParseOptional(YamlValue? source) => source is null ? null : Parse(source, allowsSecrets: false);

    private Template Parse(YamlValue source) => Parse(source, allowsSecrets: false);

    private Template Parse(YamlValue source, bool allowsSecrets)
    {
        var template = Template.Parse(source, allowsSecrets);
        _references.AddRange(template.StepPaths.Select(step => (step, source)));
        return template;
    }
}

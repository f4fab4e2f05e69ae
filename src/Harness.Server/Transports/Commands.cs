using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Transports;

/// <summary>Limits of what a command may say. What is over them is refused by name.</summary>
internal static class CommandLimits
{
    /// <summary>Longest idempotency key, in characters.</summary>
    public const int KeyLength = 128;

    /// <summary>Longest reason of a cancel, in characters.</summary>
    public const int ReasonLength = 1024;

    /// <summary>Labels of one execution.</summary>
    public const int Labels = 16;

    /// <summary>Longest name of a label, in characters.</summary>
    public const int LabelNameLength = 64;

    /// <summary>Longest value of a label, in characters.</summary>
    public const int LabelLength = 256;

    /// <summary>Executions on one page of a list, and ids in one cancel.</summary>
    public const int PageItems = 500;

    /// <summary>Executions on a page when the client does not say.</summary>
    public const int DefaultPageItems = 100;

    /// <summary>Lines in one page of a status.</summary>
    public const int PageLines = 10_000;

    /// <summary>Longest id, cursor, epoch, kind or mark of a client, in characters: longer ones are none of ours.</summary>
    public const int NameLength = 256;

    /// <summary>Longest time limit a client may ask for, in milliseconds: seven days.</summary>
    public const long TimeoutMilliseconds = 7L * 24 * 60 * 60 * 1000;
}

/// <summary><c>execute</c>: start something (PROTOCOL, "Client to server").</summary>
internal sealed record ExecuteCommand
{
    /// <summary>What is to be executed; empty: a suite.</summary>
    public string Kind { get; init; } = "";

    /// <summary>What the kind makes its plan of.</summary>
    public JsonElement Data { get; init; }

    /// <summary>A retry with the same key gives the same execution back while that is retained; null: none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Whether the starter wants the events.</summary>
    public bool Watch { get; init; } = true;

    /// <summary>Whether it wants typed events too.</summary>
    public bool Events { get; init; }

    /// <summary>Whether the execution is cancelled when the connection that started it ends.</summary>
    public bool CancelsOnDisconnect { get; init; }

    /// <summary>How long it may run; null: as long as the server allows.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>Words to find it by.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <exception cref="CommandException">A field cannot be used.</exception>
    public static ExecuteCommand Read(CommandFields fields) => new()
    {
        Kind = fields.Text("kind", CommandLimits.NameLength) ?? "",
        Data = fields.Raw("data"),
        IdempotencyKey = fields.Text("idempotency_key", CommandLimits.KeyLength) is { Length: > 0 } key ? key : null,
        Watch = fields.Flag("watch") ?? true,
        Events = fields.Flag("events") ?? false,
        CancelsOnDisconnect = fields.Text("on_disconnect", CommandLimits.NameLength) switch
        {
            null or "continue" => false,
            "cancel" => true,
            _ => throw CommandException.Field("on_disconnect", "continue or cancel"),
        },
        TimeLimit = fields.Whole("timeout_ms", 1, CommandLimits.TimeoutMilliseconds) is { } limit ? TimeSpan.FromMilliseconds(limit) : null,
        Labels = fields.Inner("labels").Texts(CommandLimits.Labels, CommandLimits.LabelNameLength, CommandLimits.LabelLength),
    };
}

/// <summary><c>cancel</c>: one by <c>id</c>, or many by <c>ids</c> or <c>filter</c>.</summary>
/// <param name="Id">The one; empty: none is named.</param>
/// <param name="Ids">The many; null: none are named.</param>
/// <param name="Filter">All that match and have not ended; null: no filter.</param>
/// <param name="Reason">Why, for people; null: nothing is said.</param>
internal sealed record CancelCommand(string Id, IReadOnlyList<string>? Ids, ExecutionFilter? Filter, string? Reason)
{
    /// <param name="fields">The command.</param>
    /// <param name="id">The one, when it is named elsewhere; null: the command may name it.</param>
    /// <exception cref="CommandException">A field cannot be used, or more than one way is taken to name them.</exception>
    public static CancelCommand Read(CommandFields fields, string? id = null)
    {
        var command = new CancelCommand(
            id ?? CommandWords.Id(fields),
            fields.Has("ids") ? CommandWords.Ids(fields.Raw("ids")) : null,
            fields.Has("filter") ? CommandWords.Filter(fields) : null,
            fields.Text("reason", CommandLimits.ReasonLength) is { Length: > 0 } reason ? reason : null);
        return command.Id.Length > 0 && (command.Ids is not null || command.Filter is not null)
            ? throw new CommandException("id excludes ids and filter: name the one or the many", "invalid_field", command.Id)
            : command is { Ids: not null, Filter: not null } ? throw new CommandException("ids excludes filter: name them, or say what they have in common", "invalid_field")
            : command;
    }
}

/// <summary><c>status</c>: where one stands.</summary>
internal sealed record StatusCommand(string Id, RecordLines Lines)
{
    /// <exception cref="CommandException">A field cannot be used.</exception>
    public static StatusCommand Read(CommandFields fields)
    {
        var logs = fields.Raw("logs");
        if (logs.ValueKind == JsonValueKind.Object)
        {
            var page = fields.Inner("logs");
            return new StatusCommand(CommandWords.Id(fields), new RecordLines(
                Math.Max(1, page.Whole("from", 0, long.MaxValue) ?? 1), (int)(page.Whole("limit", 1, CommandLimits.PageLines) ?? CommandLimits.PageLines)));
        }

        return new StatusCommand(CommandWords.Id(fields), logs.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => RecordLines.Newest,
            JsonValueKind.String when logs.ValueEquals("full"u8) => RecordLines.Newest,
            JsonValueKind.String when logs.ValueEquals("none"u8) => RecordLines.None,
            _ => throw CommandException.Field("logs", "full, none or {\"from\":1,\"limit\":100}"),
        });
    }
}

/// <summary><c>list</c>: which there are, the newest first.</summary>
internal sealed record ListCommand(ExecutionFilter Filter, string? Cursor, int Limit)
{
    /// <exception cref="CommandException">A field cannot be used.</exception>
    public static ListCommand Read(CommandFields fields) => new(
        CommandWords.Filter(fields),
        fields.Text("cursor", CommandLimits.NameLength),
        (int)(fields.Whole("limit", 1, CommandLimits.PageItems) ?? CommandLimits.DefaultPageItems));
}

/// <summary><c>subscribe</c>: where to begin is one of <c>from</c>, <c>"now"</c> and <c>tail</c>.</summary>
/// <param name="Id">Which execution.</param>
/// <param name="From">First sequence wanted; 0: everything; null: only what comes from now on.</param>
/// <param name="Tail">So many of the newest events, then what comes; null: as <paramref name="From"/> says.</param>
/// <param name="Epoch">The epoch <paramref name="From"/> was seen in; null: the client does not know.</param>
/// <param name="Events">Whether typed events are wanted.</param>
internal sealed record SubscribeCommand(string Id, long? From, long? Tail, string? Epoch, bool Events)
{
    /// <exception cref="CommandException">A field cannot be used.</exception>
    public static SubscribeCommand Read(CommandFields fields)
    {
        var isNow = fields.Raw("from") is { ValueKind: JsonValueKind.String } word && word.ValueEquals("now"u8);
        if (!isNow && fields.Raw("from").ValueKind == JsonValueKind.String)
        {
            throw CommandException.Field("from", "a sequence or \"now\"");
        }

        var tail = fields.Whole("tail", 0, long.MaxValue);
        if (tail is not null && fields.Has("from"))
        {
            throw new CommandException("from and tail exclude each other: send one of them", "invalid_field");
        }

        return new SubscribeCommand(
            CommandWords.Id(fields),
            isNow ? null : fields.Whole("from", 0, long.MaxValue) ?? 0,
            tail,
            fields.Text("epoch", CommandLimits.NameLength),
            fields.Flag("events") ?? false);
    }
}

/// <summary>What several commands have in common.</summary>
internal static class CommandWords
{
    /// <summary>The execution named; empty: none.</summary>
    public static string Id(CommandFields fields) => fields.Text("id", CommandLimits.NameLength) ?? "";

    /// <summary>The executions named, each once.</summary>
    public static IReadOnlyList<string> Ids(JsonElement ids)
    {
        var isList = ids.ValueKind == JsonValueKind.Array && ids.GetArrayLength() <= CommandLimits.PageItems
            && ids.EnumerateArray().All(id => id.ValueKind == JsonValueKind.String && id.GetString()!.Length <= CommandLimits.NameLength);
        return isList
            ? [.. ids.EnumerateArray().Select(id => id.GetString()!).Distinct(StringComparer.Ordinal)]
            : throw CommandException.Field("ids", $"an array of at most {CommandLimits.PageItems} strings of at most {CommandLimits.NameLength} characters");
    }

    /// <summary>The filter; everything when there is none.</summary>
    public static ExecutionFilter Filter(CommandFields fields)
    {
        var filter = fields.Inner("filter");
        if (!filter.HasOnly("status", "kind", "labels"))
        {
            // Overlooked, a member that is mistyped would make a filter of a few one of all, and a cancel of some one of all.
            throw CommandException.Field("filter", "an object of status, kind and labels, and nothing else");
        }

        return new ExecutionFilter
        {
            Status = filter.Text("status", CommandLimits.NameLength) is { } status ? Status(status) : null,
            Kind = filter.Text("kind", CommandLimits.NameLength),
            Labels = filter.Inner("labels").Texts(CommandLimits.Labels, CommandLimits.LabelNameLength, CommandLimits.LabelLength),
        };
    }

    /// <summary>A status by its word.</summary>
    public static ExecutionStatus Status(string word) => ExecutionStatusWords.Parse(word)
        ?? throw CommandException.Field("status", string.Join(", ", Enum.GetValues<ExecutionStatus>().Select(ExecutionStatusWords.ToWire)));
}

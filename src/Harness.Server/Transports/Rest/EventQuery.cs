using System.Globalization;
using Harness.Executions;
using Microsoft.AspNetCore.WebUtilities;

namespace Harness.Server.Transports.Rest;

/// <summary>Reads commands out of a request's query and headers.</summary>
internal static class EventQuery
{
    private const string LabelPrefix = "label.";

    /// <summary><c>status</c>, <c>kind</c>, <c>label.NAME</c>, <c>cursor</c>, <c>limit</c>.</summary>
    /// <exception cref="CommandException">One of them cannot be used.</exception>
    public static ListCommand ReadList(HttpRequest request) => new(
        new ExecutionFilter
        {
            Status = Text(request.Query, "status") is { } status ? CommandWords.Status(status) : null,
            Kind = Text(request.Query, "kind"),
            Labels = ReadLabels(request.QueryString),
        },
        Text(request.Query, "cursor"),
        (int)(Whole(request.Query, "limit", 1, CommandLimits.PageItems) ?? CommandLimits.DefaultPageItems));

    /// <summary>
    /// Where to begin: <c>Last-Event-ID</c> or <c>last_event_id</c>, else <c>from</c> (a sequence or <c>now</c>), else <c>tail</c>, else
    /// everything. And <c>events=true</c> for typed events.
    /// </summary>
    /// <exception cref="CommandException">One of them cannot be used.</exception>
    public static SubscribeCommand ReadEvents(string id, HttpRequest request, out bool isResumed)
    {
        var query = request.Query;
        var events = Text(query, "events") switch
        {
            null or "false" => false,
            "true" => true,
            _ => throw CommandException.Field("events", "true or false"),
        };
        var lastId = request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } header ? header : Text(query, "last_event_id");
        isResumed = lastId is not null;
        if (lastId is not null)
        {
            var (epoch, sequence) = ReadEventId(lastId);
            return new SubscribeCommand(id, sequence + 1, Tail: null, epoch, events);
        }

        var isNow = Text(query, "from") == "now";
        var from = isNow ? null : Whole(query, "from", 0, long.MaxValue);
        var tail = Whole(query, "tail", 0, long.MaxValue);
        if (tail is not null && (isNow || from is not null))
        {
            throw new CommandException("from and tail exclude each other: send one of them", "invalid_field");
        }

        return new SubscribeCommand(id, isNow ? null : from ?? 0, tail, Text(query, "epoch"), events);
    }

    /// <summary>Lines of a status document: <c>logs</c> (<c>full</c> or <c>none</c>), or <c>from</c> and <c>limit</c>.</summary>
    /// <exception cref="CommandException">One of them cannot be used.</exception>
    public static RecordLines ReadLines(IQueryCollection query)
    {
        var from = Whole(query, "from", 0, long.MaxValue);
        var limit = Whole(query, "limit", 1, CommandLimits.PageLines);
        if (from is not null || limit is not null)
        {
            return new RecordLines(Math.Max(1, from ?? 1), (int)(limit ?? CommandLimits.PageLines));
        }

        return Text(query, "logs") switch
        {
            null or "full" => RecordLines.Newest,
            "none" => RecordLines.None,
            _ => throw CommandException.Field("logs", "full or none"),
        };
    }

    /// <summary>A whole number; null when there is none.</summary>
    /// <exception cref="CommandException">It is none, or out of range.</exception>
    public static long? Whole(IQueryCollection query, string name, long least, long most)
    {
        if (Text(query, name) is not { } text)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw CommandException.Range(name, least, most);
    }

    // As they were sent: the request's own collection makes one of names that differ in case.
    private static Dictionary<string, string> ReadLabels(QueryString query)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in new QueryStringEnumerable(query.Value))
        {
            var name = pair.DecodeName().ToString();
            if (name.StartsWith(LabelPrefix, StringComparison.Ordinal) && !labels.TryAdd(name[LabelPrefix.Length..], pair.DecodeValue().ToString()))
            {
                throw CommandException.Field(name, "there once: an execution has one value of a label");
            }
        }

        // One that is left out would let more executions match.
        return labels.Count <= CommandLimits.Labels
            ? labels
            : throw CommandException.Field("label.NAME", $"at most {CommandLimits.Labels} labels; there are {labels.Count}");
    }

    private static string? Text(IQueryCollection query, string name) => query[name].ToString() is { Length: > 0 } text ? text : null;

    private static (string Epoch, long Sequence) ReadEventId(string id)
    {
        var dash = id.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && long.TryParse(id.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) && sequence < long.MaxValue
            ? (id[..dash], sequence)
            : throw CommandException.Field("the last event's id", "as the server wrote it: EPOCH-SEQ");
    }
}

using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR;

/// <summary>The hub at <c>/hub</c> (PROTOCOL, "SignalR hub"). A command is one object with the fields of the <c>/ws</c> action of its name.</summary>
internal sealed class ExecutionHub(ExecutionCommands commands, HubTable table) : Hub
{
    private HubPeer Peer => (HubPeer)Context.Items[typeof(HubPeer)]!;

    /// <summary>Starts an execution.</summary>
    /// <returns>The execution as lists show it: <c>id</c>, <c>epoch</c>, <c>status</c>, …</returns>
    public RawJson Execute(JsonElement command)
    {
        var execute = ExecuteCommand.Read(Read(command));
        var execution = commands.Start(execute, out var isNew);
        if (isNew && execute.CancelsOnDisconnect)
        {
            Peer.Own(execution, Context.ConnectionAborted);
        }

        return new RawJson(execution.DescribeAsItem());
    }

    /// <summary>Cancels one execution, or with <c>ids</c> or <c>filter</c> many.</summary>
    /// <returns>The status document of the one; of many <c>{"cancelled":[…],"refused":[…]}</c>.</returns>
    public RawJson Cancel(JsonElement command)
    {
        var cancel = CancelCommand.Read(Read(command));
        return cancel.Ids is null && cancel.Filter is null
            ? new RawJson(commands.Cancel(cancel).DescribeAsJson())
            : new RawJson(ListDocument.Of(commands.CancelMany(cancel)));
    }

    /// <summary>The status document of an execution.</summary>
    public RawJson Status(JsonElement command)
    {
        var status = StatusCommand.Read(Read(command));
        return new RawJson(commands.Find(status.Id, "status").DescribeAsJson(status.Lines));
    }

    /// <summary>A page of the executions there are: <c>{"items":[…],"next":…}</c>.</summary>
    public RawJson List(JsonElement command) => new(ListDocument.Of(commands.List(ListCommand.Read(Read(command)))));

    /// <summary>Streams an execution's events in batches: what is there, then live; it ends after the <c>result</c>.</summary>
    /// <param name="id">The execution.</param>
    /// <param name="from">Sequence of the first event wanted; 0 for everything.</param>
    /// <param name="cancellationToken">Ends the stream and nothing else.</param>
    public IAsyncEnumerable<EventBatch> Watch(string id, long from, CancellationToken cancellationToken)
    {
        var log = commands.Find(id ?? "", "watch").Log;
        return Peer.CountAsync(new EventStream().ReadAsync(log, from, cancellationToken), cancellationToken);
    }

    /// <summary>As <see cref="Watch"/>, one event at a time: simpler to read and three to four times the work.</summary>
    /// <inheritdoc cref="Watch" path="/param" />
    public IAsyncEnumerable<RawJson> Tail(string id, long from, CancellationToken cancellationToken)
    {
        var log = commands.Find(id ?? "", "tail").Log;
        var events = log.ReadEventsAsync(from, cancellationToken).Select(json => new RawJson(json));
        return Peer.CountAsync(events, cancellationToken);
    }

    /// <inheritdoc />
    public override Task OnConnectedAsync()
    {
        table.Enter(Peer);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override Task OnDisconnectedAsync(Exception? exception)
    {
        Peer.CancelOwned();
        return Task.CompletedTask;
    }

    // What no .NET string can hold is replaced, as on the other transports.
    private static CommandFields Read(JsonElement command)
    {
        ReadOnlyMemory<byte> utf8 = JsonMarshal.GetRawUtf8Value(command).ToArray();
        var repaired = JsonSyntax.Repair(utf8);
        return new CommandFields(repaired.Equals(utf8) ? command : JsonElement.Parse(repaired.Span));
    }
}

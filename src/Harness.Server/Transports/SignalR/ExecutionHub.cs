using System.Runtime.InteropServices;
using System.Text.Json;
using Harness.Executions;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR;

/// <summary>The hub at <c>/hub</c> (PROTOCOL, "SignalR hub"). A command is one object with the fields of the <c>/ws</c> action of its name.</summary>
internal sealed class ExecutionHub(ExecutionCommands commands, HubTable table) : Hub
{
    private static readonly JsonDocumentOptions AsDeepAsItCame = new() { MaxDepth = JsonSyntax.MaxDepth };

    private HubPeer Peer => (HubPeer)Context.Items[typeof(HubPeer)]!;

    /// <summary>Starts an execution.</summary>
    /// <returns>The execution as lists show it: <c>id</c>, <c>epoch</c>, <c>status</c>, …</returns>
    public async Task<RawJson> Execute(JsonElement command)
    {
        var execute = ExecuteCommand.Read(Read(command));
        var (execution, isNew) = await commands.StartAsync(execute, Context.ConnectionAborted);
        if (isNew && execute.CancelsOnDisconnect)
        {
            Peer.Own(execution, Context.ConnectionAborted);
        }

        await execution.Stored.WaitAsync(Context.ConnectionAborted);
        return new RawJson(execution.DescribeAsItem());
    }

    /// <summary>Cancels one execution, or with <c>ids</c> or <c>filter</c> many.</summary>
    /// <returns>The status document of the one; of many <c>{"cancelled":[…],"refused":[…]}</c>.</returns>
    public async Task<RawJson> Cancel(JsonElement command)
    {
        var cancel = CancelCommand.Read(Read(command));
        return cancel.Ids is null && cancel.Filter is null
            ? new RawJson((await commands.CancelAsync(cancel, Context.ConnectionAborted)).DescribeNow())
            : new RawJson(ListDocument.Of(await commands.CancelManyAsync(cancel, Context.ConnectionAborted)));
    }

    /// <summary>Suspends an execution that can be suspended.</summary>
    /// <returns>Its status document.</returns>
    public async Task<RawJson> Suspend(JsonElement command) =>
        new RawJson((await commands.SuspendAsync(SuspendCommand.Read(Read(command)), Context.ConnectionAborted)).DescribeNow());

    /// <summary>Lets a suspended execution go on.</summary>
    /// <returns>Its status document.</returns>
    public async Task<RawJson> Resume(JsonElement command) =>
        new RawJson((await commands.ResumeAsync(ResumeCommand.Read(Read(command)), Context.ConnectionAborted)).DescribeNow());

    /// <summary>The status document of an execution.</summary>
    public async Task<RawJson> Status(JsonElement command)
    {
        var status = StatusCommand.Read(Read(command));
        var execution = await commands.FindAsync(status.Id, "status", Context.ConnectionAborted);
        return new RawJson(await execution.DescribeAsync(status.Lines, Context.ConnectionAborted));
    }

    /// <summary>A page of the executions there are: <c>{"items":[…],"next":…}</c>.</summary>
    public async Task<RawJson> List(JsonElement command) =>
        new RawJson(ListDocument.Of(await commands.ListAsync(ListCommand.Read(Read(command)), Context.ConnectionAborted)));

    /// <summary>Streams an execution's events in batches: what is there, then live; it ends after the <c>result</c>.</summary>
    /// <param name="id">The execution.</param>
    /// <param name="from">Sequence of the first event wanted; 0 for everything.</param>
    /// <param name="cancellationToken">Ends the stream and nothing else.</param>
    public async Task<IAsyncEnumerable<EventBatch>> Watch(string id, long from, CancellationToken cancellationToken)
    {
        CheckFrom(from);
        var log = (await commands.FindAsync(id ?? "", "watch", cancellationToken)).Log;
        return Peer.CountAsync(EventStream.ReadBatchesAsync(log, from, table.Stopping, cancellationToken), cancellationToken);
    }

    /// <summary>As <see cref="Watch"/>, one event at a time: simpler to read and three to four times the work.</summary>
    /// <inheritdoc cref="Watch" path="/param" />
    public async Task<IAsyncEnumerable<RawJson>> Tail(string id, long from, CancellationToken cancellationToken)
    {
        CheckFrom(from);
        var log = (await commands.FindAsync(id ?? "", "tail", cancellationToken)).Log;
        return Peer.CountAsync(EventStream.ReadEventsAsync(log, from, table.Stopping, cancellationToken), cancellationToken);
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

    private static void CheckFrom(long from)
    {
        if (from < 0)
        {
            throw CommandException.Range("from", 0, long.MaxValue);
        }
    }

    // What no .NET string can hold is replaced, as on the other transports.
    private static CommandFields Read(JsonElement command)
    {
        ReadOnlyMemory<byte> utf8 = JsonMarshal.GetRawUtf8Value(command).ToArray();
        var repaired = JsonRepair.Apply(utf8);
        return new CommandFields(repaired.Equals(utf8) ? command : JsonElement.Parse(repaired.Span, AsDeepAsItCame));
    }
}

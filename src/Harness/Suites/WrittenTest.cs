using System.Runtime.CompilerServices;
using System.Text.Json;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>Runs a written conversation, turn by turn, and keeps what became of each.</summary>
internal sealed class WrittenTest(TestStage stage, IReadOnlyList<Interaction> interactions)
{
    private readonly List<InteractionReport> _reports = [];
    private readonly Buttons _buttons = new();

    /// <summary>All turns; those that have not run are skipped ones.</summary>
    public IReadOnlyList<InteractionReport> Report() =>
    [
        .. _reports,
        .. interactions.Skip(_reports.Count).Select(Skip),
    ];

    /// <summary>The report of a turn that has not run.</summary>
    public static InteractionReport Skip(Interaction interaction) => new(interaction.Id, interaction.User.Type, SuiteOutcome.Skipped);

    /// <summary>
    /// Runs turns up to the first failure; without fail_fast also those after a failed validation, but never those after an error, because
    /// the conversation is lost then.
    /// </summary>
    /// <returns>Every failure, in order.</returns>
    public async IAsyncEnumerable<string> RunAsync([EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var interaction in interactions)
        {
            stop.ThrowIfCancellationRequested();
            var turn = new Turn(interaction, stage);
            var started = stage.Tools.Time.GetTimestamp();
            var (failure, isLost) = await RunAsync(turn, stop);
            _reports.Add(new InteractionReport(interaction.Id, interaction.User.Type, failure is null ? SuiteOutcome.Passed : SuiteOutcome.Failed)
            {
                DurationMs = stage.ElapsedMs(started),
                Error = failure is null ? null : SuiteReportReductions.Shorten(failure),
                Messages = SuiteReportReductions.Shorten(turn.Messages),
                Validations = turn.Validations.Report(),
            });
            if (failure is not null)
            {
                yield return failure;
                if (isLost || stage.Suite.FailFast)
                {
                    yield break;
                }
            }
        }
    }

    /// <summary>One turn while it runs.</summary>
    private sealed record Turn(Interaction Interaction, TestStage Stage)
    {
        public List<string> Messages { get; } = [];

        public OpenValidations Validations { get; } = new(Stage, Interaction.Validations);
    }

    private async Task<(string? Failure, bool IsLost)> RunAsync(Turn turn, CancellationToken stop)
    {
        var (interaction, lines) = (turn.Interaction, stage.Lines);
        await lines.WriteAsync("Interaction ID: " + interaction.Id);
        await lines.WriteAsync("Interaction Request Type: " + interaction.User.Type);
        if (UserAction.Describe(interaction.User) is { } description)
        {
            await lines.WriteAsync(description);
        }

        if (UserAction.TryCreate(interaction.User, _buttons, out var error) is not { } action)
        {
            return (error, true);
        }

        if (interaction.Variables is { } variables)
        {
            await lines.WriteAsync($"Including {variables.Count} variables in interaction request");
            action = action with { Variables = variables };
        }

        try
        {
            var reply = await stage.Conversation.SendAsync(action, stop);
            error = await ReadAsync(turn, reply, stop);
        }
        catch (AgentException failed)
        {
            error = failed.Message;
        }

        if (error is not null)
        {
            return (error, true);
        }

        var failure = turn.Validations.Failure(interaction.Id);
        if (failure is null)
        {
            await lines.WriteAsync("All validations passed for Interaction ID: " + interaction.Id);
        }

        return (failure, false);
    }

    private async Task<string?> ReadAsync(Turn turn, AgentReply reply, CancellationToken stop)
    {
        _buttons.BeginAnswer();
        foreach (var trace in reply.Traces)
        {
            await stage.Lines.WriteAsync("Interaction Response Type: " + trace.Type);
            if (HasButtons(trace))
            {
                _buttons.Add(trace.Buttons);
                await stage.Lines.WriteAsync($"Extracted {trace.Buttons.Count} buttons from {trace.Type} response");
            }

            if (trace.Message is not null)
            {
                turn.Messages.Add(trace.Message);
                await stage.Lines.WriteAsync("Interaction Response Message: " + trace.Message);
            }

            if (await turn.Validations.TryAsync(trace, stop) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    // A choice that offers nothing takes the earlier buttons away, too.
    private static bool HasButtons(AgentTrace trace) =>
        trace.Buttons.Count > 0
        || (trace.Type == "choice" && trace.Payload.ValueKind == JsonValueKind.Object && trace.Payload.TryGetProperty("buttons", out _));
}

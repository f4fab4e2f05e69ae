using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Agents;

/// <summary>An agent that answers by the rules of a <see cref="Script"/>. It keeps each user's variables while it lives.</summary>
/// <param name="name"><c>demo</c> or <c>scripted</c>.</param>
/// <param name="description">For logs and banners.</param>
/// <param name="script">The rules; the first to talk to it asks for them.</param>
/// <param name="maxReplyLength">Longest reply, in characters of its texts.</param>
/// <param name="time">The clock of delays.</param>
internal sealed class ScriptedAgent(string name, string description, Lazy<Script> script, int maxReplyLength, TimeProvider time) : IAgent
{
    private readonly ConversationStates<State> _states = new();

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public string Description => description;

    /// <inheritdoc/>
    public IConversation Open(string userId)
    {
        var state = _states.Get(userId);
        state.Begin(script.Value);
        return new Conversation(this, state);
    }

    private TimeProvider Time => time;

    private (AgentReply Reply, TimeSpan Delay) Answer(AgentTurn turn, State state)
    {
        var variables = state.Variables;
        foreach (var (variable, value) in turn.Variables ?? new Dictionary<string, JsonElement>())
        {
            AgentJson.RequireUnicode(value, "The turn");
            variables[variable] = value.Clone();
        }

        var said = ScriptTurn.Read(turn);
        if ((script.Value.Rules.FirstOrDefault(rule => Holds(rule, said, variables)) ?? script.Value.Fallback) is not { } rule)
        {
            return (new AgentReply([]), TimeSpan.Zero);
        }

        var text = new ScriptText(said, variables, maxReplyLength);
        rule.Change(variables, script.Value.Variables, text);
        var traces = rule.Reply.Select(trace => TraceReader.Read(trace.Type, text.Fill(trace.Payload)));
        return (new AgentReply([.. traces]), rule.Delay);
    }

    private static bool Holds(ScriptRule rule, ScriptTurn turn, IReadOnlyDictionary<string, JsonElement> variables)
    {
        try
        {
            return rule.When.Holds(turn, variables);
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new AgentException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The script's regex {exception.Pattern} takes longer than {exception.MatchTimeout.TotalSeconds} s; make it simpler"),
                exception);
        }
    }

    private sealed class State
    {
        private bool _begun;

        public Lock Gate { get; } = new();

        public OrderedDictionary<string, JsonElement> Variables { get; } = new(StringComparer.Ordinal);

        public void Begin(Script script)
        {
            lock (Gate)
            {
                if (_begun)
                {
                    return;
                }

                _begun = true;
                foreach (var (variable, value) in script.Variables)
                {
                    Variables[variable] = value;
                }
            }
        }
    }

    private sealed class Conversation(ScriptedAgent agent, State state) : IConversation
    {
        public async Task<AgentReply> SendAsync(AgentTurn turn, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (reply, delay) = Take(turn);
            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, agent.Time, cancellationToken);
            }

            return reply;
        }

        public Task<JsonElement> GetVariablesAsync(CancellationToken cancellationToken)
        {
            lock (state.Gate)
            {
                return Task.FromResult(AgentJson.ToElement(state.Variables));
            }
        }

        private (AgentReply Reply, TimeSpan Delay) Take(AgentTurn turn)
        {
            lock (state.Gate)
            {
                return agent.Answer(turn, state);
            }
        }
    }
}

using System.Text.Json;

namespace Harness.Agents;

/// <summary>
/// A language model as an agent. It keeps each user's conversation while it lives: the last <see cref="MaxTurns"/> turns, older ones
/// are forgotten. A launch begins anew and is answered by an opening message.
/// </summary>
internal sealed class OpenAIAgent : IAgent
{
    /// <summary>Turns (a message and its answer) that the model is shown.</summary>
    public const int MaxTurns = 50;

    private readonly ILanguageModel _model;
    private readonly OpenAISettings _settings;
    private readonly ConversationStates<State> _states = new();

    /// <param name="model">Who answers.</param>
    /// <param name="settings">How.</param>
    /// <param name="where">The model's place, for the description.</param>
    public OpenAIAgent(ILanguageModel model, OpenAISettings settings, string where)
    {
        _model = model;
        _settings = settings;
        Description = $"openai ({settings.Model} at {where})";
    }

    /// <inheritdoc/>
    public string Name => "openai";

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public IConversation Open(string userId) => new Conversation(this, _states.Get(userId));

    private ModelPrompt Prompt(JsonElement variables, IEnumerable<ModelMessage> history)
    {
        var instructions = _settings.Instructions;
        if (variables.EnumerateObject().Any())
        {
            instructions += $"\n\nVariables of this conversation: {variables.GetRawText()}";
        }

        return new ModelPrompt(_settings.Model, [new ModelMessage("system", instructions), .. history])
        {
            Temperature = _settings.Temperature,
        };
    }

    private sealed class State
    {
        private readonly Lock _gate = new();
        private readonly Queue<ModelMessage> _history = new();

        public ConversationVariables Variables { get; } = new();

        public IReadOnlyList<ModelMessage> Begin(AgentTurn turn)
        {
            lock (_gate)
            {
                if (turn.Type == "launch")
                {
                    _history.Clear();
                }

                return [.. _history];
            }
        }

        public void End(ModelMessage said, string answer)
        {
            lock (_gate)
            {
                _history.Enqueue(said);
                _history.Enqueue(new ModelMessage("assistant", answer));
                if (_history.Count > 2 * MaxTurns)
                {
                    _history.Dequeue();
                    _history.Dequeue();
                }
            }
        }
    }

    private sealed class Conversation(OpenAIAgent agent, State state) : IConversation
    {
        public async Task<AgentReply> SendAsync(AgentTurn turn, CancellationToken cancellationToken)
        {
            var said = new ModelMessage("user", TurnWords.Of(turn));
            state.Variables.Set(turn.Variables);
            var prompt = agent.Prompt(state.Variables.ToJson(), [.. state.Begin(turn), said]);
            var answer = await agent._model.CompleteAsync(prompt, cancellationToken);
            state.End(said, answer);
            return new AgentReply([TraceReader.OfText(answer)]);
        }

        public Task<JsonElement> GetVariablesAsync(CancellationToken cancellationToken) => Task.FromResult(state.Variables.ToJson());
    }
}

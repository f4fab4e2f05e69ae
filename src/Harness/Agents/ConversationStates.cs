namespace Harness.Agents;

/// <summary>
/// What an agent remembers of its users, by their id. Thread-safe. It keeps at most <paramref name="capacity"/>: when it is full, the
/// user who came first is forgotten and begins anew when they come back; a conversation that is still open keeps its own state.
/// </summary>
internal sealed class ConversationStates<T>(int capacity = ConversationStates<T>.DefaultCapacity)
    where T : class, new()
{
    private const int DefaultCapacity = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, T> _states = new(StringComparer.Ordinal);
    private readonly Queue<string> _arrivals = new();

    /// <summary>The state of a user, new for one who is not known.</summary>
    public T Get(string userId)
    {
        lock (_gate)
        {
            if (_states.TryGetValue(userId, out var known))
            {
                return known;
            }

            if (_states.Count == capacity)
            {
                _states.Remove(_arrivals.Dequeue());
            }

            var state = new T();
            _states.Add(userId, state);
            _arrivals.Enqueue(userId);
            return state;
        }
    }
}

using Microsoft.Extensions.Options;

namespace Harness.Generations;

/// <summary>
/// What was said in conversations, by agent, user and conversation. In memory, within the limits of <see cref="GenerationOptions"/>: when
/// they are reached the conversation unused longest is forgotten. Thread-safe.
/// </summary>
public sealed class ConversationMemory(IOptions<GenerationOptions> options)
{
    private readonly GenerationOptions _options = options.Value;
    private readonly Lock _gate = new();
    private readonly Dictionary<ConversationKey, LinkedListNode<Conversation>> _conversations = [];
    private readonly LinkedList<Conversation> _byUse = new();
    private long _size;

    /// <summary>Conversations remembered.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _conversations.Count;
            }
        }
    }

    /// <summary>The newest messages of a conversation, oldest first; none when it is not known.</summary>
    public IReadOnlyList<ChatMessage> Recall(ConversationKey key, int limit)
    {
        lock (_gate)
        {
            return _conversations.TryGetValue(key, out var node) ? [.. node.Value.Messages.TakeLast(limit)] : [];
        }
    }

    /// <summary>Remembers what was said, at the conversation's end.</summary>
    public void Remember(ConversationKey key, IEnumerable<ChatMessage> messages)
    {
        lock (_gate)
        {
            if (_conversations.TryGetValue(key, out var node))
            {
                _byUse.Remove(node);
            }
            else
            {
                _conversations[key] = node = new LinkedListNode<Conversation>(new Conversation(key));
            }

            _byUse.AddLast(node);
            foreach (var message in messages)
            {
                node.Value.Messages.Enqueue(message);
                _size += message.Size;
            }

            while (node.Value.Messages.Count > _options.MaxMessages)
            {
                _size -= node.Value.Messages.Dequeue().Size;
            }

            ForgetWhatIsTooMuch();
        }
    }

    private void ForgetWhatIsTooMuch()
    {
        while (_byUse.First is { } oldest && (_byUse.Count > _options.MaxConversations || _size > _options.MaxMemoryBytes))
        {
            _byUse.RemoveFirst();
            _conversations.Remove(oldest.Value.Key);
            _size -= oldest.Value.Messages.Sum(message => (long)message.Size);
        }
    }

    private sealed record Conversation(ConversationKey Key)
    {
        public Queue<ChatMessage> Messages { get; } = new();
    }
}

/// <summary>Which conversation. Different agents and different users never share one, whatever it is called.</summary>
/// <param name="Agent">The agent's id.</param>
/// <param name="UserId">The user; empty: nobody in particular.</param>
/// <param name="ConversationId">The conversation.</param>
public readonly record struct ConversationKey(string Agent, string UserId, string ConversationId);

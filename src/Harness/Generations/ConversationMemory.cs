using Harness.Executions;
using Microsoft.Extensions.Options;

namespace Harness.Generations;

/// <summary>
/// What was said in conversations, by agent, user and conversation. In memory, within the limits of <see cref="GenerationOptions"/>: when
/// they are reached the conversation unused longest is forgotten. Where executions are stored, one that memory does not know is read back
/// from its generations. Thread-safe.
/// </summary>
public sealed class ConversationMemory
{
    private readonly GenerationOptions _options;
    private readonly StoredConversations? _stored;
    private readonly Lock _gate = new();
    private readonly Dictionary<ConversationKey, LinkedListNode<Conversation>> _conversations = [];
    private readonly LinkedList<Conversation> _byUse = new();

    // Two that ask for the same conversation wait for the same read.
    private readonly Dictionary<ConversationKey, Task> _reading = [];
    private long _size;

    /// <summary>Remembers nothing yet.</summary>
    public ConversationMemory(IOptions<GenerationOptions> options, ExecutionRegistry executions) =>
        (_options, _stored) = (options.Value, executions.IsPersistent ? new StoredConversations(executions) : null);

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
    /// <exception cref="StoreException">It has to be read back, and the store cannot be asked now.</exception>
    public async ValueTask<IReadOnlyList<ChatMessage>> RecallAsync(ConversationKey key, int limit, CancellationToken cancellationToken = default)
    {
        if (_stored is not null && _options.MaxConversations > 0)
        {
            await ReadOnceAsync(key).WaitAsync(cancellationToken);
        }

        lock (_gate)
        {
            return _conversations.TryGetValue(key, out var node) ? [.. node.Value.Messages.TakeLast(limit)] : [];
        }
    }

    /// <summary>
    /// Remembers what was said, at the conversation's end. One that was recalled and forgotten since is left to be read back, where that can be.
    /// </summary>
    public void Remember(ConversationKey key, IEnumerable<ChatMessage> messages)
    {
        lock (_gate)
        {
            if (_stored is null || _conversations.ContainsKey(key))
            {
                Add(key, messages);
            }
        }
    }

    private Task ReadOnceAsync(ConversationKey key)
    {
        lock (_gate)
        {
            if (_conversations.ContainsKey(key))
            {
                return Task.CompletedTask;
            }

            if (!_reading.TryGetValue(key, out var reading))
            {
                _reading[key] = reading = Task.Run(() => ReadAsync(key));
            }

            return reading;
        }
    }

    private async Task ReadAsync(ConversationKey key)
    {
        try
        {
            var messages = await _stored!.ReadAsync(key, _options.MaxMessages);
            lock (_gate)
            {
                Add(key, messages);
            }
        }
        finally
        {
            lock (_gate)
            {
                _reading.Remove(key);
            }
        }
    }

    private void Add(ConversationKey key, IEnumerable<ChatMessage> messages)
    {
        if (_conversations.TryGetValue(key, out var node))
        {
            _byUse.Remove(node);
        }
        else
        {
            _conversations[key] = node = new LinkedListNode<Conversation>(new Conversation(key));
            _size += key.Size;
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

    private void ForgetWhatIsTooMuch()
    {
        while (_byUse.First is { } oldest && (_byUse.Count > _options.MaxConversations || _size > _options.MaxMemoryBytes))
        {
            _byUse.RemoveFirst();
            _conversations.Remove(oldest.Value.Key);
            _size -= oldest.Value.Key.Size + oldest.Value.Messages.Sum(message => (long)message.Size);
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
public readonly record struct ConversationKey(string Agent, string UserId, string ConversationId)
{
    /// <summary>About as many bytes as it takes in memory.</summary>
    internal int Size => 2 * (Agent.Length + UserId.Length + ConversationId.Length);
}

using System.Text.Json;
using Harness.Executions;

namespace Harness.Generations;

/// <summary>Reads conversations back from the generations they were made of: those that completed and are kept. Images and files are not.</summary>
internal sealed class StoredConversations(ExecutionRegistry executions)
{
    // A result that is too large is left out of its frame whole, and what was answered matters more than what was asked.
    private const int MaxCharacters = 64 * 1024;

    private const int PageSize = 100;

    // Where nobody is named, those of named users are looked at too; at some point it is enough.
    private const int MaxPages = 20;

    /// <summary>The newest messages, oldest first.</summary>
    /// <exception cref="StoreException">The store cannot be asked now.</exception>
    public async Task<IReadOnlyList<ChatMessage>> ReadAsync(ConversationKey key, int limit)
    {
        var filter = new ExecutionFilter { Kind = Generator.Kind, Status = ExecutionStatus.Completed, Labels = LabelsOf(key) };
        var (found, page, cursor) = (new List<ChatMessage>(), 0, (string?)null);
        do
        {
            var listed = await executions.ListAsync(filter, cursor, PageSize);
            foreach (var execution in listed.Items.Where(execution => (execution.Request.Labels.GetValueOrDefault(Generator.UserLabel) ?? "") == key.UserId))
            {
                found.AddRange(MessagesOf(await execution.Completion).Reverse());
            }

            cursor = listed.Next;
        }
        while (cursor is not null && found.Count < limit && ++page < MaxPages);

        found.Reverse();
        return [.. found.TakeLast(limit)];
    }

    /// <summary>Writes what was said in a request, where its last message is not all.</summary>
    public static void WriteMessages(Utf8JsonWriter json, IReadOnlyList<ChatMessage> said)
    {
        if (said.Count < 2 || said.Sum(message => (long)message.Text.Length) > MaxCharacters)
        {
            return;
        }

        json.WriteStartArray("messages");
        foreach (var message in said)
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role);
            json.WriteString("text", message.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static Dictionary<string, string> LabelsOf(ConversationKey key)
    {
        var labels = new Dictionary<string, string> { [Generator.AgentLabel] = key.Agent, [Generator.ConversationLabel] = key.ConversationId };
        if (key.UserId.Length > 0)
        {
            labels[Generator.UserLabel] = key.UserId;
        }

        return labels;
    }

    private static IEnumerable<ChatMessage> MessagesOf(ExecutionResult result)
    {
        var details = JsonElement.Parse(result.Details.Span, JsonDepth.Kept);
        if (details.TryGetProperty("messages", out var messages))
        {
            foreach (var message in messages.EnumerateArray())
            {
                yield return new ChatMessage(message.GetProperty("role").GetString()!, message.GetProperty("text").GetString()!);
            }
        }
        else
        {
            yield return new ChatMessage("user", details.GetProperty("input").GetString()!);
        }

        yield return new ChatMessage(
            "assistant", details.TryGetProperty("object", out var value) ? value.GetRawText() : details.GetProperty("text").GetString()!);
    }
}

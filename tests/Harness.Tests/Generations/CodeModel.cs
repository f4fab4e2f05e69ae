using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Harness.Generations;

namespace Harness.Tests.Generations;

/// <summary>A model that a test writes: a function from a prompt to the parts of its answer. It keeps what it was asked.</summary>
internal sealed class CodeModel(Func<ChatPrompt, IEnumerable<ModelPart>> answer) : IChatModel
{
    private readonly ConcurrentQueue<ChatPrompt> _prompts = new();

    /// <summary>All it was asked, in order.</summary>
    public IReadOnlyList<ChatPrompt> Prompts => [.. _prompts];

    /// <summary>Answers with a text, token by token.</summary>
    public static CodeModel Saying(params string[] tokens) => new(_ => Text(tokens));

    /// <summary>Waits for ever after its first token.</summary>
    public static CodeModel Hanging => HangingAfter(() => { });

    /// <summary>As <see cref="Hanging"/>, and says when it is asked.</summary>
    public static CodeModel HangingAfter(Action asked) => new(_ =>
    {
        asked();
        return [new ModelText("one "), new Pause()];
    });

    public static IEnumerable<ModelPart> Text(params string[] tokens) =>
        [.. tokens.Select(token => new ModelText(token)), new ModelFinish("stop", new TokenUsage(3, tokens.Length))];

    public static IEnumerable<ModelPart> Call(string tool, string args) =>
        [new ModelToolCall("c1", tool, JsonElement.Parse(args)), new ModelFinish("tool-calls", new TokenUsage(1, 1))];

    public async IAsyncEnumerable<ModelPart> StreamAsync(ChatPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _prompts.Enqueue(prompt);
        foreach (var part in answer(prompt))
        {
            if (part is Pause)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested();
            yield return part;
        }
    }

    private sealed record Pause : ModelPart;
}

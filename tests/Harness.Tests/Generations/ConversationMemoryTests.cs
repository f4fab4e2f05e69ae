using Harness.Executions;
using Harness.Generations;
using Harness.Tests.Executions;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Generations;

public sealed class ConversationMemoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MemoryForgetsTheConversationUnusedLongest()
    {
        using var engine = new Engine();
        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxConversations = 2, MaxMessages = 2 }), engine.Registry);
        ConversationKey Key(string id) => new("a", "u", id);

        memory.Remember(Key("1"), [new ChatMessage("user", "one")]);
        memory.Remember(Key("2"), [new ChatMessage("user", "two")]);
        memory.Remember(Key("1"), [new ChatMessage("user", "three"), new ChatMessage("user", "four")]);
        memory.Remember(Key("3"), [new ChatMessage("user", "five")]);

        Assert.Equal(2, memory.Count);
        Assert.Empty(await memory.RecallAsync(Key("2"), 10, Stop));
        Assert.Equal(["three", "four"], (await memory.RecallAsync(Key("1"), 10, Stop)).Select(message => message.Text));
    }

    [Fact]
    public void MemoryStaysWithinItsBytes()
    {
        using var engine = new Engine();
        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxMemoryBytes = 10_000 }), engine.Registry);

        for (var i = 0; i < 100; i++)
        {
            memory.Remember(new ConversationKey("a", "u", $"{i}"), [new ChatMessage("user", new string('x', 1_000))]);
        }

        Assert.InRange(memory.Count, 1, 4);
    }

    [Fact]
    public async Task LongConversationCountsWithTheMessagesItStillHas()
    {
        using var engine = new Engine();
        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxMessages = 2, MaxMemoryBytes = 10_000 }), engine.Registry);
        var key = new ConversationKey("a", "u", "c");

        for (var i = 0; i < 100; i++)
        {
            memory.Remember(key, [new ChatMessage("user", new string('x', 1_000))]);
        }

        Assert.Equal(2, (await memory.RecallAsync(key, 10, Stop)).Count);
    }

    [Fact]
    public void WhatAConversationIsCalledCountsToo()
    {
        using var engine = new Engine();
        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxMemoryBytes = 10_000 }), engine.Registry);

        for (var i = 0; i < 100; i++)
        {
            memory.Remember(new ConversationKey("a", "u", $"{i}{new string('c', 1_000)}"), [new ChatMessage("user", "x")]);
        }

        Assert.InRange(memory.Count, 1, 4);
    }

    [Fact]
    public async Task ConversationIsReadBackFromTheGenerationsThatTheStoreHas()
    {
        await using var store = new FakeStore();
        using (var before = new GenerationHouse(Agents("Hello"), store: store))
        {
            await before.Registry.OpenAsync(Stop);
            await before.RunAsync("one", Ask("ann", "c"));
            await before.RunAsync("two", request => Ask("ann", "c")(request) with
            {
                Input = [new ChatMessage("user", "and"), new ChatMessage("assistant", "what"), new ChatMessage("user", "two")],
            });
            await before.RunAsync("of nobody", Ask(null, "c"));
            await before.RunAsync("of bob", Ask("bob", "c"));
            await before.RunAsync("of another", Ask("ann", "d"));
        }

        var model = CodeModel.Saying("Again");
        using var after = new GenerationHouse([new AgentDefinition { Id = "a", ChatModel = model }], store: store);
        await after.Registry.OpenAsync(Stop);
        await after.RunAsync("three", Ask("ann", "c"));
        await after.RunAsync("four", Ask(null, "c"));

        Assert.Equal(["one", "Hello", "and", "what", "two", "Hello", "three"], model.Prompts[0].Messages.Select(message => message.Text));
        Assert.Equal(["of nobody", "Hello", "four"], model.Prompts[1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task ConversationReadBackHasItsNewestMessagesAndIsReadOnce()
    {
        await using var store = new FakeStore();
        using var house = new GenerationHouse(Agents("Hello"), store: store);
        await house.Registry.OpenAsync(Stop);
        for (var i = 0; i < 150; i++)
        {
            await house.RunAsync($"{i}", Ask("ann", "c"));
        }

        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxMessages = 210 }), house.Registry);
        var all = await memory.RecallAsync(new ConversationKey("a", "ann", "c"), 1_000, Stop);
        store.ReadFailure = new StoreException("gone");
        var again = await memory.RecallAsync(new ConversationKey("a", "ann", "c"), 1_000, Stop);

        Assert.Equal(210, all.Count);
        Assert.Equal(["45", "Hello", "46"], all.Take(3).Select(message => message.Text));
        Assert.Equal(all, again);
    }

    [Fact]
    public async Task ConversationForgottenWhileItIsAnsweredIsReadBackWhole()
    {
        await using var store = new FakeStore();
        using var house = new GenerationHouse(Agents("Hello"), store: store);
        await house.Registry.OpenAsync(Stop);
        await house.RunAsync("one", Ask("ann", "c"));
        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxConversations = 1 }), house.Registry);
        var key = new ConversationKey("a", "ann", "c");
        await memory.RecallAsync(key, 10, Stop);
        await memory.RecallAsync(key with { UserId = "bob" }, 10, Stop);

        memory.Remember(key, [new ChatMessage("user", "two")]);

        Assert.Equal(["one", "Hello"], (await memory.RecallAsync(key, 10, Stop)).Select(message => message.Text));
    }

    private static AgentDefinition[] Agents(string answer) => [new AgentDefinition { Id = "a", ChatModel = CodeModel.Saying(answer) }];

    private static Func<GenerationRequest, GenerationRequest> Ask(string? user, string conversation) =>
        request => request with { UserId = user, ConversationId = conversation };
}

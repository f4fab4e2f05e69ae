// Harness inside a program of your own: dotnet run --project samples/embedded
// Then: curl -N -X POST http://localhost:5000/agents/shop/stream -d '{"input":"What does a pizza cost?"}'

using System.Text.Json;
using Harness;
using Harness.Generations;
using Harness.Server;

var builder = WebApplication.CreateBuilder(args);

builder.AddHarness()
    .AddTool(new AgentTool(
        "price",
        "What a dish costs, in euros",
        (args, _) => Task.FromResult<object?>(new { dish = args.GetProperty("dish"), price = 9.5 }),
        JsonElement.Parse("""{"type":"object","properties":{"dish":{"type":"string"}},"required":["dish"]}""")))
    .AddAgent(AgentDefinition.Parse("shop", """
        name: Pizza shop
        instructions: You sell pizza. Look prices up, never guess them.
        model: scripted            # or openai/gpt-4o-mini with OPENAI_API_KEY
        tools: [price]
        rules:
          - when: { words: [cost, price] }
            reply:
              - { type: tool-call, payload: { name: price, args: { dish: pizza } } }
              - text: 'That is {price} euros.'
        fallback: { reply: [We have pizza. Ask me what it costs!] }
        """));

// Idle sockets of /ws then cost half the memory.
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.UseHarness()));

var app = builder.Build();
app.MapHarness();
app.MapGet("/api/users/{id}", (string id) => new { success = true, data = new { id, name = "John Doe" } }).WithSummary("Get user by ID");
app.Run();

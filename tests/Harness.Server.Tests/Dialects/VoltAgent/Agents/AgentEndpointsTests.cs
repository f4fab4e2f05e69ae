using System.Net;
using System.Text.Json;
using Harness.Agents;
using Harness.Generations;
using Harness.Storage.Tests;
using Harness.Tests.Generations;

namespace Harness.Server.Tests.Dialects.VoltAgent.Agents;

public sealed class AgentEndpointsTests
{
    private const string Schema = """{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListShowsEveryAgentWithItsToolsAndSubAgents()
    {
        await using var app = await HarnessApp.StartAsync(services => services.AddHarness()
            .AddTool(new AgentTool("add", "Adds", (_, _) => Task.FromResult<object?>(null), JsonElement.Parse("""{"type":"object"}""")))
            .AddAgent(new AgentDefinition { Id = "a", Name = "Ann", Model = "openai/gpt-4o-mini", Tools = ["add"], SubAgents = ["demo"] }));

        var agents = JsonElement.Parse(await app.Client.GetStringAsync("/agents", Stop)).GetProperty("data");

        Assert.Equal(["a", "demo"], agents.EnumerateArray().Select(agent => agent.Text("id")));
        Assert.Equal(("Ann", "idle", "gpt-4o-mini"), (agents[0].Text("name"), agents[0].Text("status"), agents[0].Text("model")));
        Assert.Equal("""[{"name":"add","description":"Adds","parameters":{"type":"object"}}]""", agents[0].GetProperty("tools").GetRawText());
        Assert.Equal("demo", agents[0].GetProperty("subAgents")[0].Text("id"));
        Assert.Equal("InMemory", agents[0].GetProperty("memory").Text("type"));
    }

    [Fact]
    public async Task AgentOfAJsonConfigurationIsWrittenAsInItsFile()
    {
        const string Json = """
            {
              "Harness": {
                "Agents": {
                  "CallTimeLimit": "00:00:10",
                  "shop": {
                    "Name": "Shop", "Instructions": "Be brief.", "Tools": ["current_time"], "SubAgents": [], "MaxSteps": 3, "TokenDelay": "1ms",
                    "Variables": { "open": true },
                    "Rules": [
                      { "when": { "contains": ["price", "cost"], "variables": { "open": true, "guests": 2 } }, "reply": ["Two for {price}."], "set": { "price": 5 } },
                      { "when": { "contains": "person" }, "reply": [{ "type": "object", "payload": { "name": "Ada" } }] }
                    ],
                    "Fallback": { "reply": ["You said {text}"] }
                  },
                  "silent": { "Rules": [] }
                }
              }
            }
            """;
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Json));
        var settings = new ConfigurationBuilder().AddJsonStream(stream).Build().AsEnumerable()
            .Where(setting => setting.Value is not null).Select(setting => (setting.Key, setting.Value));
        await using var app = await HarnessApp.StartAsync([.. settings]);

        var agents = JsonElement.Parse(await app.Client.GetStringAsync("/agents", Stop)).GetProperty("data");
        var price = (await app.PostAsync("/agents/shop/text", """{"input":"What does it cost?","options":{"userContext":{"guests":2}}}""")).Data();
        var other = (await app.PostAsync("/agents/shop/text", """{"input":"hi"}""")).Data();
        var person = (await app.PostAsync("/agents/shop/object", $$"""{"input":"a person","schema":{{Schema}} }""")).Data();
        var silence = (await app.PostAsync("/agents/silent/text", """{"input":"hi"}""")).Data();

        Assert.Equal(["shop", "silent", "demo"], agents.EnumerateArray().Select(agent => agent.Text("id")));
        Assert.Equal(("Shop", "current_time"), (agents[0].Text("name"), agents[0].GetProperty("tools")[0].Text("name")));
        Assert.Equal(("Two for 5.", "You said hi", ""), (price.Text("text"), other.Text("text"), silence.Text("text")));
        Assert.Equal("""{"name":"Ada"}""", person.GetProperty("object").GetRawText());
    }

    [Fact]
    public async Task MisspeltAgentOfTheConfigurationKeepsTheServerFromStarting()
    {
        var refusal = await Assert.ThrowsAsync<ServerStartException>(() => HarnessApp.StartAsync(("Harness:Agents:shop:Modle", "scripted")));

        Assert.StartsWith("Harness:Agents:shop, Modle: 'Modle' is not known here", refusal.Message);
    }

    [Fact]
    public async Task AgentIsWorkingWhileAGenerationOfItRuns()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Hanging);
        var (response, lines) = await app.OpenAsync("/agents/a/stream", """{"input":"hi"}""");
        using (response)
        {
            await lines.ReadLineAsync(Stop);

            Assert.Equal("working", await StatusAsync());
            Assert.Equal(
                ["working", "idle"],
                JsonElement.Parse(await app.Client.GetStringAsync("/agents", Stop)).GetProperty("data").EnumerateArray().Select(agent => agent.Text("status")));
            var id = response.Headers.GetValues("X-Execution-Id").Single();
            (await app.PostAsync($"/agents/a/executions/{id}/cancel", null)).Data();
            await (await app.Executions.FindAsync(id, Stop))!.Completion.WaitAsync(Stop);
        }

        Assert.Equal("idle", await StatusAsync());

        async Task<string> StatusAsync() =>
            JsonElement.Parse(await app.Client.GetStringAsync("/agents/a", Stop)).GetProperty("data").Text("status");
    }

    [Fact]
    public async Task ConversationGoesOnAfterARestart()
    {
        using var folder = new DataFolder();
        var settings = new (string, string?)[] { ("Harness:Store:MemoryOnly", "false"), ("Harness:Store:Data", folder.NewOptions().Data) };
        const string Options = """{"userId":"ann","conversationId":"c1"}""";
        await using (var before = await AgentApp.StartAsync(CodeModel.Saying("I am ", "fine."), null, settings))
        {
            (await before.PostAsync("/agents/a/text", $$"""{"input":"How are you?","options":{{Options}} }""")).Data();
            (await before.PostAsync("/agents/a/text", """{"input":"Not for ann","options":{"userId":"bob","conversationId":"c1"}}""")).Data();
            await before.StopAsync();
        }

        var model = CodeModel.Saying("As I said.");
        await using var after = await AgentApp.StartAsync(model, null, settings);
        (await after.PostAsync("/agents/a/text", $$"""{"input":"And now?","options":{{Options}} }""")).Data();
        (await after.PostAsync("/agents/a/text", $$"""{"input":"Sure?","options":{{Options}} }""")).Data();

        Assert.Equal(["Be brief.", "How are you?", "I am fine.", "And now?"], model.Prompts[0].Messages.Select(message => message.Text));
        Assert.Equal(
            ["Be brief.", "How are you?", "I am fine.", "And now?", "As I said.", "Sure?"], model.Prompts[1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task OneAgentShowsItsInstructionsToo()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("x"));

        var agent = JsonElement.Parse(await app.Client.GetStringAsync("/agents/a", Stop)).GetProperty("data");

        Assert.Equal(("a", "Be brief."), (agent.Text("id"), agent.Text("instructions")));
    }

    [Fact]
    public async Task TextIsAnsweredWhole()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("Hel", "lo"));

        var data = (await app.PostAsync("/agents/a/text", """{"input":"hi","options":{"userContext":{"role":"admin"}}}""")).Data();

        Assert.Equal(("Hello", "stop"), (data.Text("text"), data.Text("finishReason")));
        Assert.Equal("""{"promptTokens":3,"completionTokens":2,"totalTokens":5}""", data.GetProperty("usage").GetRawText());
        Assert.Equal("""{"role":"admin"}""", data.GetProperty("userContext").GetRawText());
        Assert.NotNull(await app.Executions.FindAsync(data.Text("executionId"), Stop));
    }

    [Fact]
    public async Task ObjectIsAnsweredWhole()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("{\"name\":\"Ada\"}"));

        var data = (await app.PostAsync("/agents/a/object", $$"""{"input":"hi","schema":{{Schema}} }""")).Data();

        Assert.Equal("""{"name":"Ada"}""", data.GetProperty("object").GetRawText());
    }

    [Theory]
    [InlineData("GET", "/agents/x", null, 404, "Agent not found")]
    [InlineData("GET", "/agents/x/history", null, 404, "Agent not found")]
    [InlineData("GET", "/agents/a/history?page=-1", null, 400, "page must be a whole number from 0 to 1000000")]
    [InlineData("GET", "/agents/a/history?limit=many", null, 400, "limit must be a whole number from 1 to 100")]
    [InlineData("POST", "/agents/x/text", "{}", 404, "Agent not found")]
    [InlineData("POST", "/agents/x/object", "{}", 404, "Agent not found")]
    [InlineData("POST", "/agents/x/stream", "{}", 404, "Agent not found")]
    [InlineData("POST", "/agents/x/stream-object", "{}", 404, "Agent not found")]
    [InlineData("POST", "/agents/a/text", null, 400, "The request has no body; send a JSON object")]
    [InlineData("POST", "/agents/a/stream", null, 400, "The request has no body; send a JSON object")]
    [InlineData("POST", "/agents/a/text", "[]", 400, "The request body must be a JSON object")]
    [InlineData("POST", "/agents/a/text", "{\"input\":", 400, "Malformed JSON in request body: unexpected end of JSON input")]
    [InlineData("POST", "/agents/a/text", "{}", 400, "input must be a text, or a list of messages {role, content}")]
    [InlineData("POST", "/agents/a/text", """{"input":[]}""", 400, "input must be a text, or a list of messages {role, content}")]
    [InlineData("POST", "/agents/a/text", """{"input":[{"role":"boss","content":"x"}]}""", 400, "input[0].role must be system, user, assistant or tool")]
    [InlineData("POST", "/agents/a/text", """{"input":[{"role":"user"}]}""", 400, "input[0].content must be a text, or a list of parts {type, …}")]
    [InlineData("POST", "/agents/a/text", """{"input":"x","options":5}""", 400, "options must be an object")]
    [InlineData("POST", "/agents/a/stream", """{"input":"x","options":{"temperature":2}}""", 400, "options.temperature must be a number from 0 to 1")]
    [InlineData("POST", "/agents/a/object", """{"input":"x"}""", 400, "schema must be a JSON schema with type \"object\"")]
    [InlineData("POST", "/agents/a/object", """{"input":"x","schema":{"type":"array"}}""", 400, "schema must be a JSON schema with type \"object\"")]
    [InlineData("POST", "/agents/a/object", """{"input":"x","schema":{"type":["object","null"]}}""", 400, "schema must be a JSON schema with type \"object\"")]
    [InlineData("POST", "/agents/a/stream-object", """{"input":"x","schema":{"type":"object","required":"a"}}""", 400, "schema.required must be a list of names")]
    [InlineData("POST", "/agents/refused/text", """{"input":"x"}""", 500, "Incorrect API key provided")]
    [InlineData("POST", "/agents/a/object", """{"input":"x","schema":{"type":"object","required":["name"]}}""", 500, "Schema validation failed: Required at name")]
    [InlineData("POST", "/agents/keyless/text", """{"input":"x"}""", 500, "The provider groq needs a key: set GROQ_API_KEY, or Harness:Generations:Providers:groq:ApiKey")]
    [InlineData("POST", "/agents/a/executions/none/cancel", null, 404, "Execution not found")]
    [InlineData("GET", "/agents/a/executions/none/stream", null, 404, "Execution not found")]
    public async Task RefusalHasItsCodeAndOneEnvelope(string method, string path, string? body, int status, string error)
    {
        var refused = new CodeModel(_ => throw new AgentException("Incorrect API key provided"));
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("{}"), services => services.AddHarness()
            .AddAgent(new AgentDefinition { Id = "refused", ChatModel = refused })
            .AddAgent(new AgentDefinition { Id = "keyless", Model = "groq/llama" }));
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body) };

        using var response = await app.Client.SendAsync(request, Stop);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(
            JsonSerializer.Serialize(new { success = false, error }, JsonSerializerOptions.Web),
            JsonSerializer.Serialize(JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop)), JsonSerializerOptions.Web));
    }

    [Theory]
    [InlineData("/agents/a/text", """{"input":"x","options":{"userId":"LONG"}}""", "options.userId must be a text of at most 256 characters")]
    [InlineData("/agents/a/stream", """{"input":"x","options":{"conversationId":"LONG"}}""", "options.conversationId must be a text of at most 256 characters")]
    [InlineData("/agents/a/text", """{"input":"x","options":{"memory":{"userId":"LONG"}}}""", "options.memory.userId must be a text of at most 256 characters")]
    [InlineData("/agents/a/executions/none/cancel", """{"reason":"LONG"}""", "reason must be a string of at most 1024 characters")]
    public async Task NamesAndReasonsThatAreKeptAreShort(string path, string body, string error)
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("{}"));

        using var response = await app.Client.PostAsync(path, new StringContent(body.Replace("LONG", new string('x', 1025), StringComparison.Ordinal)), Stop);

        Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(error, JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop)).GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("contextLimit", "0", "options.contextLimit must be a whole number from 1")]
    [InlineData("contextLimit", "1.5", "options.contextLimit must be a whole number from 1")]
    [InlineData("maxSteps", "0", "options.maxSteps must be a whole number from 1")]
    [InlineData("temperature", "1.01", "options.temperature must be a number from 0 to 1")]
    [InlineData("maxTokens", "-1", "options.maxTokens must be a whole number from 1")]
    [InlineData("maxOutputTokens", "\"5\"", "options.maxOutputTokens must be a whole number from 1")]
    [InlineData("topP", "-0.1", "options.topP must be a number from 0 to 1")]
    [InlineData("frequencyPenalty", "2.1", "options.frequencyPenalty must be a number from 0 to 2")]
    [InlineData("presencePenalty", "-1", "options.presencePenalty must be a number from 0 to 2")]
    [InlineData("seed", "0.5", "options.seed must be a whole number")]
    [InlineData("stopSequences", "\"x\"", "options.stopSequences must be a list of texts")]
    [InlineData("extraOptions", "[]", "options.extraOptions must be an object")]
    [InlineData("context", "1", "options.context must be an object")]
    [InlineData("userId", "5", "options.userId must be a text")]
    [InlineData("memory", "5", "options.memory must be an object")]
    [InlineData("memory", """{"options":{"contextLimit":0}}""", "options.memory.options.contextLimit must be a whole number from 1")]
    [InlineData("resumableStream", "1", "options.resumableStream must be true or false")]
    public async Task OptionOutOfItsRangeIsNamed(string option, string value, string problem)
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("x"));

        var (status, body) = await app.PostAsync("/agents/a/text", $$$"""{"input":"x","options":{"{{{option}}}":{{{value}}} } }""");

        Assert.Equal((400, problem), (status, body.Text("error")));
    }

    [Theory]
    [InlineData("""{"temperature":0.1,"maxTokens":50,"topP":0.9,"seed":7,"stopSequences":["END"],"extraOptions":{"x":1},"userContext":{"role":"r"},"unknown":1}""")]
    [InlineData("""{"temperature":0.1,"maxOutputTokens":50,"topP":0.9,"seed":7,"stopSequences":["END"],"providerOptions":{"x":1},"context":{"role":"r"}}""")]
    public async Task OptionsReachTheModelByTheirOldNamesAndByTheirNewOnes(string options)
    {
        var model = CodeModel.Saying("x");
        await using var app = await AgentApp.StartAsync(model);

        (await app.PostAsync("/agents/a/text", $$"""{"input":"hi","options":{{options}} }""")).Data();

        var settings = model.Prompts[0].Settings;
        Assert.Equal((0.1, 50, 0.9, 7), (settings.Temperature, settings.MaxTokens, settings.TopP, settings.Seed));
        Assert.Equal(["END"], settings.StopSequences);
        Assert.Equal("""{"x":1}""", settings.ProviderOptions.GetRawText());
        Assert.Equal("""{"role":"r"}""", settings.Context.GetRawText());
    }

    [Fact]
    public async Task WithoutOptionsTheModelGetsTheDefaultsOfTheApi()
    {
        var model = CodeModel.Saying("x");
        await using var app = await AgentApp.StartAsync(model);

        (await app.PostAsync("/agents/a/text", """{"input":"hi"}""")).Data();

        Assert.Equal((0.7, 4000), (model.Prompts[0].Settings.Temperature, model.Prompts[0].Settings.MaxTokens));
    }

    [Fact]
    public async Task MessagesMayHaveSeveralParts()
    {
        var model = CodeModel.Saying("x");
        await using var app = await AgentApp.StartAsync(model);

        (await app.PostAsync("/agents/a/text", """
            {"input":[{"role":"assistant","content":"Yes?"},{"role":"user","content":[{"type":"text","text":"what"},{"type":"text","text":"is it"},
             {"type":"image","image":"R0lG","mimeType":"image/gif"},{"type":"file","data":"eA==","filename":"x.txt","mimeType":"text/plain","size":1}]}]}
            """)).Data();

        var message = model.Prompts[0].Messages[^1];
        Assert.Equal(("user", "what\nis it"), (message.Role, message.Text));
        Assert.Equal([new ChatAttachment("R0lG", "image/gif", null), new ChatAttachment("eA==", "text/plain", "x.txt")], message.Attachments);
    }

    [Theory]
    [InlineData("""{"userId":"u","conversationId":"c","contextLimit":2}""")]
    [InlineData("""{"memory":{"userId":"u","conversationId":"c","options":{"contextLimit":2}}}""")]
    public async Task ConversationGoesOnByEitherNames(string options)
    {
        var model = CodeModel.Saying("ok");
        await using var app = await AgentApp.StartAsync(model);

        foreach (var input in new[] { "one", "two", "three" })
        {
            (await app.PostAsync("/agents/a/text", $$"""{"input":"{{input}}","options":{{options}} }""")).Data();
        }

        Assert.Equal(["Be brief.", "two", "ok", "three"], model.Prompts[2].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task HistoryHasTheNewestFirstInPages()
    {
        var model = new CodeModel(prompt => prompt.Messages[^1].Text == "3" ? throw new AgentException("no") : CodeModel.Text("ok"));
        await using var app = await AgentApp.StartAsync(model);
        for (var i = 1; i <= 3; i++)
        {
            await app.PostAsync("/agents/a/text", $$"""{"input":"{{i}}","options":{"userId":"u"} }""");
        }

        await app.PostAsync("/agents/demo/text", """{"input":"other"}""");

        var first = JsonElement.Parse(await app.Client.GetStringAsync("/agents/a/history?page=0&limit=2", Stop)).GetProperty("data");
        var second = JsonElement.Parse(await app.Client.GetStringAsync("/agents/a/history?page=1&limit=2", Stop)).GetProperty("data");

        Assert.Equal("""{"page":0,"limit":2,"total":3,"totalPages":2}""", first.GetProperty("pagination").GetRawText());
        Assert.Equal(["3 error", "2 completed"], first.GetProperty("entries").EnumerateArray().Select(entry => $"{entry.Text("input")} {entry.Text("status")}"));
        Assert.Equal("no", first.GetProperty("entries")[0].Text("error"));
        var entry = Assert.Single(second.GetProperty("entries").EnumerateArray());
        Assert.Equal(("1", "ok", "u"), (entry.Text("input"), entry.Text("output"), entry.Text("userId")));
    }

    [Fact]
    public async Task BodyIsReadWhateverItsContentType()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("ok"));
        using var content = new StringContent("""{"input":"hi"}""", System.Text.Encoding.UTF8, "text/plain");

        using var response = await app.Client.PostAsync("/agents/a/text", content, Stop);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task BodyThatIsTooLongIsRefusedInTheEnvelope()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("ok"), settings: ("MaxBodyBytes", "1024"));

        var (status, body) = await app.PostAsync("/agents/a/text", $$"""{"input":"{{new string('x', 2000)}}"}""");

        Assert.Equal(413, status);
        Assert.False(body.GetProperty("success").GetBoolean());
    }
}

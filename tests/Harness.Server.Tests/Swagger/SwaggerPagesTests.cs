using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Harness.Suites;

namespace Harness.Server.Tests.Swagger;

public sealed partial class SwaggerPagesTests : IAsyncLifetime
{
    private HarnessApp _app = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _app = await HarnessApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task DocumentDescribesTheSeedsRoutes()
    {
        var document = await ReadDocumentAsync();

        Assert.Equal("Harness API", (string?)document["info"]!["title"]);
        Assert.Contains("**WebSocket `/ws`**", (string?)document["info"]!["description"]);
        Assert.Superset(
            new HashSet<string>(["/health", "/api/v1/system/info", "/api/v1/tests/execute", "/api/v1/tests/status/{id}", "/api/v1/tests/cancel/{id}"]),
            document["paths"]!.AsObject().Select(path => path.Key).ToHashSet());
        Assert.Equal(["202", "400", "413", "503"], Codes(document, "/api/v1/tests/execute", "post"));
        Assert.Equal(["200", "404", "503"], Codes(document, "/api/v1/tests/status/{id}", "get"));
        Assert.Equal(["200", "404", "409", "503"], Codes(document, "/api/v1/tests/cancel/{id}", "post"));
        Assert.Equal("tests", (string?)document["paths"]!["/api/v1/tests/execute"]!["post"]!["tags"]![0]);
        Assert.Equal("system", (string?)document["paths"]!["/health"]!["get"]!["tags"]![0]);
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task DocumentIsTrueBehindTheTlsOfAProxy(string path)
    {
        var document = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!;

        Assert.Equal("/", (string?)Assert.Single(document["servers"]!.AsArray())!["url"]);
    }

    [Fact]
    public async Task ResumeSaysThatItMayNameASuspensionAndThatTheServerMayBeFull()
    {
        var document = await ReadDocumentAsync();

        Assert.Equal(["200", "400", "404", "409", "413", "503"], Codes(document, "/api/v1/executions/{id}/resume", "post").Order());
        Assert.Contains("suspended_at", (string?)document["paths"]!["/api/v1/executions/{id}/resume"]!["post"]!["summary"]);
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task RoutesOfExecutionsSayWhatTheyTake(string path)
    {
        var paths = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!["paths"]!;

        Assert.Equal(["status", "kind", "cursor", "limit"], Query(paths["/api/v1/executions"]!));
        Assert.Equal(["logs", "from", "limit"], Query(paths["/api/v1/executions/{id}"]!));
        Assert.Equal(["from", "tail", "epoch", "last_event_id", "events", "limit"], Query(paths["/api/v1/executions/{id}/events"]!));
        Assert.All(
            ["", "/cancel", "/sweep", "/{id}/cancel", "/{id}/suspend", "/{id}/resume"],
            route => Assert.NotNull(paths[$"/api/v1/executions{route}"]!["post"]!["requestBody"]!["content"]!["application/json"]!["example"]));
        Assert.NotNull(paths["/api/v1/tests/execute"]!["post"]!["requestBody"]);
        Assert.NotNull(paths["/api/v1/tests/execute"]!["post"]!["responses"]!["202"]);
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task RoutesOfExecutionsSayWhatTheyAnswer(string path)
    {
        var document = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!;

        string[] Types(string route, string method, string code) => [.. document["paths"]![$"/api/v1/executions{route}"]![method]!["responses"]![code]!["content"]!
            .AsObject().Select(content => content.Key)];
        Assert.Equal(["application/json"], Types("", "get", "200"));
        Assert.Equal(["application/json"], Types("", "post", "202"));
        Assert.Equal(["application/json"], Types("/{id}", "get", "200"));
        Assert.Equal(["text/event-stream", "application/json"], Types("/{id}/events", "get", "200"));
        Assert.All(["/cancel", "/sweep", "/{id}/cancel", "/{id}/suspend", "/{id}/resume"], route => Assert.Equal(["application/json"], Types(route, "post", "200")));
        Assert.Contains("413", Codes(document, "/api/v1/executions", "post"));
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task EveryRouteThatAsksTheStoreSaysThatTheStoreMayFail(string path)
    {
        var document = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!;

        var routes = document["paths"]!.AsObject()
            .Where(route => route.Key.StartsWith("/api/v1/executions", StringComparison.Ordinal) || route.Key.StartsWith("/api/v1/tests", StringComparison.Ordinal))
            .SelectMany(route => route.Value!.AsObject().Select(operation => (route.Key, Method: operation.Key))).ToList();

        Assert.Equal(13, routes.Count);
        Assert.All(routes, route => Assert.Contains("503", Codes(document, route.Key, route.Method)));
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task RoutesOfTheSystemSayWhatTheyAreFor(string path)
    {
        var paths = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!["paths"]!;

        Assert.Equal("Version and platform of the server", (string?)paths["/api/v1/system/info"]!["get"]!["summary"]);
        Assert.Equal("Whether the server is alive", (string?)paths["/health"]!["get"]!["summary"]);
        Assert.Equal("Whether the server takes new executions", (string?)paths["/health/ready"]!["get"]!["summary"]);
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task ValueThatMayBeAnythingMayBeNull(string path)
    {
        var schemas = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!["components"]!["schemas"]!;

        Assert.Empty(schemas["WorkflowAnswer"]!["properties"]!["result"]!.AsObject());
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task SuiteOfARequestTellsWhatTheSeedsServerDoesNotKnow(string path)
    {
        var schemas = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!["components"]!["schemas"]!;

        var suite = schemas["TestSuiteRequest"]!["properties"]!;
        Assert.Equal("boolean", (string?)suite["fail_fast"]!["type"]);
        Assert.Equal("integer", (string?)suite["parallel"]!["type"]);
        Assert.EndsWith("/tests.OpenAIConfig", (string?)suite["openAIConfig"]!["$ref"] ?? (string?)suite["openAIConfig"]!["allOf"]![0]!["$ref"]);
        Assert.Null(schemas["TestExecutionRequest"]!["properties"]!["agent"]!["type"]);
    }

    [Fact]
    public async Task MemberThatTheSeedsServerDoesNotKnowIsRefusedInWordsOfItsOwn()
    {
        using var content = new StringContent("""{"suite":{"name":"n","environment_name":"e","tests":[],"fail_fast":"no"}}""");

        using var response = await _app.Client.PostAsync("/api/v1/tests/execute", content, Stop);

        Assert.Contains("suite.fail_fast: expected true or false, found a string", await response.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task NumberIsNoText(string path)
    {
        var text = await _app.Client.GetStringAsync(path, Stop);

        var count = JsonNode.Parse(text)!["components"]!["schemas"]!["CountAnswer"]!["properties"]!["count"]!;
        Assert.Equal("integer", (string?)count["type"]);
        Assert.DoesNotContain("\"pattern\"", text);
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task AnswersStandInTheOrderOfTheirStatus(string path)
    {
        var document = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!;

        Assert.Equal(["202", "400", "413", "503"], Codes(document, "/api/v1/executions", "post"));
    }

    [Theory]
    [InlineData(typeof(SuiteSummary))]
    [InlineData(typeof(TestReport))]
    [InlineData(typeof(InteractionReport))]
    [InlineData(typeof(ValidationReport))]
    [InlineData(typeof(AgentTestReport))]
    [InlineData(typeof(TranscriptLine))]
    public async Task PartOfAReportHasTheMembersThatTheDocumentTells(Type part)
    {
        var schema = (await ReadDocumentAsync())["components"]!["schemas"]![part.Name]!;

        Assert.Equal(
            part.GetProperties().Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)).Order(),
            schema["properties"]!.AsObject().Select(member => member.Key).Order());
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task StatusOfASuiteHasNoMemberThatTheDocumentDoesNotTell(string path)
    {
        var document = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!;
        var paths = document["paths"]!;
        var example = paths["/api/v1/tests/execute"]!["post"]!["requestBody"]!["content"]!["application/json"]!["example"]!.AsObject();
        example["agent"] = JsonNode.Parse("""{"type":"demo"}""");
        using var content = new StringContent(example.ToJsonString());
        using var started = await _app.Client.PostAsync("/api/v1/tests/execute", content, Stop);
        var id = (string)JsonNode.Parse(await started.Content.ReadAsStringAsync(Stop))!["id"]!;
        await _app.Executions.List().Single(execution => execution.Id == id).Completion.WaitAsync(Stop);

        var status = JsonNode.Parse(await _app.Client.GetStringAsync($"/api/v1/tests/status/{id}", Stop))!;

        Assert.NotEmpty(status["tests"]![0]!["interactions"]![0]!["validations"]!.AsArray());
        AssertTold(status, document["components"]!["schemas"]!["TestStatusResponse"]!, document);
    }

    [Theory]
    [InlineData("/swagger/doc.json")]
    [InlineData("/doc")]
    public async Task DocumentSaysHowAKeyIsSentWhereOneIsAskedFor(string path)
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "secret"));
        using var response = await app.SendAsync(HttpMethod.Get, path, ("X-API-Key", "secret"));

        var document = JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!;

        Assert.Equal("""[{"bearer":[]},{"key":[]}]""", document["security"]!.ToJsonString());
        Assert.Equal(
            """{"bearer":{"type":"http","scheme":"bearer"},"key":{"type":"apiKey","name":"X-API-Key","in":"header"}}""",
            document["components"]!["securitySchemes"]!.ToJsonString());
        Assert.All(["/health", "/health/ready"], route => Assert.Equal("[{}]", document["paths"]![route]!["get"]!["security"]!.ToJsonString()));
        Assert.Null(document["paths"]!["/api/v1/system/info"]!["get"]!["security"]);
        var open = JsonNode.Parse(await _app.Client.GetStringAsync(path, Stop))!;
        Assert.Null(open["security"]);
        Assert.Null(open["components"]!["securitySchemes"]);
    }

    [Fact]
    public async Task StartOfTheDocumentsExampleRuns()
    {
        var example = (await ReadDocumentAsync())["paths"]!["/api/v1/executions"]!["post"]!["requestBody"]!["content"]!["application/json"]!["example"]!;
        using var content = new StringContent(example.ToJsonString());

        using var response = await _app.Client.PostAsync("/api/v1/executions", content, Stop);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task DocumentHasTheDefinitionsClientsKnowByName()
    {
        var schemas = (await ReadDocumentAsync())["components"]!["schemas"]!.AsObject();

        string[] tests =
        [
            "Agent", "AgentTest", "IntentEntity", "IntentRequest", "Interaction", "OpenAIConfig", "SimilarityConfig", "Test", "User", "UserInfo",
            "Validation", "VariableConfig", "VoiceflowAgentTargetConfig", "VoiceflowAgentTesterConfig",
        ];
        string[] own =
        [
            "ErrorResponse", "SystemInfoResponse", "TestExecutionRequest", "TestExecutionResponse", "TestRequest", "TestStatusResponse",
            "TestSuiteRequest",
        ];
        Assert.Superset(own.Concat(tests.Select(name => "tests." + name)).ToHashSet(), schemas.Select(schema => schema.Key).ToHashSet());
        Assert.Equal(
            ["name", "environment_name", "tests"],
            schemas["TestSuiteRequest"]!["required"]!.AsArray().Select(name => (string?)name));
    }

    [Fact]
    public async Task EveryReferenceOfTheDocumentLeadsSomewhere()
    {
        var text = await _app.Client.GetStringAsync("/swagger/doc.json", Stop);
        var schemas = JsonNode.Parse(text)!["components"]!["schemas"]!.AsObject();

        var names = Reference().Matches(text).Select(match => match.Groups[1].Value).ToList();

        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.True(schemas.ContainsKey(name), name));
    }

    [Fact]
    public async Task PageIsWholeWithoutTheInternet()
    {
        var page = await _app.Client.GetStringAsync("/swagger/index.html", Stop);

        var files = LocalFile().Matches(page).Select(match => match.Groups[1].Value).ToList();

        Assert.DoesNotContain("src=\"http", page);
        Assert.Contains("swagger-ui.css", files);
        foreach (var file in files)
        {
            using var response = await _app.SendAsync(HttpMethod.Get, $"/swagger/{file}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("GET", "/swagger/")]
    [InlineData("GET", "/swagger/nope")]
    [InlineData("GET", "/swagger/nope.js")]
    [InlineData("POST", "/swagger/index.html")]
    public async Task OtherPathsAreNotFound(string method, string path)
    {
        using var response = await _app.SendAsync(new HttpMethod(method), path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("Not Found", await response.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("/swagger/index.html")]
    [InlineData("/swagger/doc.json")]
    public async Task SwitchedOffNothingIsThere(string path)
    {
        await using var app = await HarnessApp.StartAsync(("Swagger", "false"));

        using var response = await app.SendAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("404 page not found", await response.Content.ReadAsStringAsync(Stop));
    }

    private async Task<JsonNode> ReadDocumentAsync() =>
        JsonNode.Parse(await _app.Client.GetStringAsync("/swagger/doc.json", Stop))!;

    private static void AssertTold(JsonNode value, JsonNode schema, JsonNode document)
    {
        var told = (string?)schema["$ref"] is { } reference ? document["components"]!["schemas"]![reference[(reference.LastIndexOf('/') + 1)..]]! : schema;
        switch (value)
        {
            case JsonObject members when told["properties"] is { } properties:
                Assert.All(members, member => AssertTold(member.Value!, Assert.IsAssignableFrom<JsonNode>(properties[member.Key]), document));
                break;
            case JsonArray items:
                Assert.All(items, item => AssertTold(item!, told["items"]!, document));
                break;
            default:
                break;
        }
    }

    private static IEnumerable<string?> Query(JsonNode path) => path["get"]!["parameters"]!.AsArray()
        .Where(parameter => (string?)parameter!["in"] == "query").Select(parameter => (string?)parameter!["name"]);

    private static IEnumerable<string> Codes(JsonNode document, string path, string method) =>
        document["paths"]![path]![method]!["responses"]!.AsObject().Select(response => response.Key);

    [GeneratedRegex("\"#/components/schemas/([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("(?:src|href)=\"(?:\\./)?([^\":]+\\.(?:js|css|png))\"")]
    private static partial Regex LocalFile();
}

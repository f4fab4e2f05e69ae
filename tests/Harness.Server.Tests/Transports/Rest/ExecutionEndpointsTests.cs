using System.Net;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Tests.Transports.Rest;

/// <summary><c>/api/v1/executions</c> but for the events.</summary>
public sealed class ExecutionEndpointsTests : IAsyncLifetime
{
    private readonly List<IDisposable> _answers = [];
    private HarnessApp _app = null!;
    private ManualKind _kind = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => (_app, _kind) = await ManualKind.StartAppAsync();

    public ValueTask DisposeAsync()
    {
        _answers.ForEach(answer => answer.Dispose());
        return _app.DisposeAsync();
    }

    [Fact]
    public async Task LabelsWhoseNamesDifferInCaseAreTwo()
    {
        var (_, document) = await AskAsync(HttpMethod.Post, "", """{"kind":"manual","labels":{"env":"prod","ENV":"test"}}""");

        Assert.Equal(("prod", "test"), (document.GetProperty("labels").Text("env"), document.GetProperty("labels").Text("ENV")));
    }

    [Theory]
    [InlineData("?label.env=prod&label.ENV=test", 1)]
    [InlineData("?label.ENV=test&label.env=prod", 1)]
    [InlineData("?label.env=prod&access_token=any&label.ENV=test", 1)]
    [InlineData("?label.ENV=prod", 0)]
    [InlineData("?label.env=prod&label.Env=", 0)]
    public async Task LabelsOfAQueryWhoseNamesDifferInCaseAreTwoToo(string query, int found)
    {
        await AskAsync(HttpMethod.Post, "", """{"kind":"manual","labels":{"env":"prod","ENV":"test"}}""");

        var (_, page) = await AskAsync(HttpMethod.Get, query);

        Assert.Equal(found, page.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task LabelThatAQueryHasTwiceIsRefusedByItsName()
    {
        var (response, answer) = await AskAsync(HttpMethod.Get, "?label.team=a&label.team=b");

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_field"), (response.StatusCode, answer.Text("error")));
        Assert.Equal("label.team must be there once: an execution has one value of a label", answer.Text("message"));
    }

    [Fact]
    public async Task ExecutionIsStartedFoundCancelledAndForgotten()
    {
        var (started, document) = await AskAsync(HttpMethod.Post, "", """{"kind":"manual","labels":{"team":"red"},"idempotency_key":"k"}""");
        var (again, same) = await AskAsync(HttpMethod.Post, "", """{"kind":"manual","idempotency_key":"k"}""");
        var id = document.Text("id");
        var (found, _) = await AskAsync(HttpMethod.Get, "/" + id);
        var (early, running) = await AskAsync(HttpMethod.Delete, "/" + id);
        var (cancelled, end) = await AskAsync(HttpMethod.Post, $"/{id}/cancel", """{"reason":"enough"}""");
        var (late, notRunning) = await AskAsync(HttpMethod.Post, $"/{id}/cancel");
        Assert.True(_app.Executions.TryFind(id, out var execution));
        await execution.Completion.WaitAsync(Stop);
        var (deleted, _) = await AskAsync(HttpMethod.Delete, "/" + id);
        var (gone, unknown) = await AskAsync(HttpMethod.Delete, "/" + id);

        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        Assert.Equal("/api/v1/executions/" + id, started.Headers.Location?.OriginalString);
        Assert.Equal("running", document.Text("status"));
        Assert.Equal("red", document.GetProperty("labels").Text("team"));
        Assert.Equal((HttpStatusCode.Accepted, id), (again.StatusCode, same.Text("id")));
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        Assert.Equal((HttpStatusCode.Conflict, "running"), (early.StatusCode, running.Text("error")));
        Assert.Equal((HttpStatusCode.OK, "cancelled", "enough"), (cancelled.StatusCode, end.Text("status"), end.Text("cancel_reason")));
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        Assert.Equal("Cannot cancel: execution is not running (current status: cancelled)", notRunning.Text("message"));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), (gone.StatusCode, unknown.Text("error")));
    }

    [Fact]
    public async Task ListIsFilteredAndPaged()
    {
        for (var i = 0; i < 3; i++)
        {
            await AskAsync(HttpMethod.Post, "", $$$"""{"kind":"manual","labels":{"n":"{{{i}}}"}}""");
        }

        var (_, first) = await AskAsync(HttpMethod.Get, "?limit=2");
        var (_, second) = await AskAsync(HttpMethod.Get, "?limit=2&cursor=" + first.Text("next"));
        var (_, one) = await AskAsync(HttpMethod.Get, "?status=running&kind=manual&label.n=1");
        var (_, none) = await AskAsync(HttpMethod.Get, "?status=failed");

        Assert.Equal(["2", "1"], first.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("labels").Text("n")));
        Assert.Equal(["0"], second.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("labels").Text("n")));
        Assert.False(second.TryGetProperty("next", out var _));
        Assert.Equal(1, one.GetProperty("items").GetArrayLength());
        Assert.Equal("""{"items":[]}""", none.GetRawText());
    }

    [Fact]
    public async Task ManyAreCancelledByIdsAndByFilter()
    {
        var (one, two, three) = (await _kind.StartAsync(_app), await _kind.StartAsync(_app), await _kind.StartAsync(_app));
        var (_, red) = await AskAsync(HttpMethod.Post, "", """{"kind":"manual","labels":{"team":"red"}}""");
        Assert.True(_app.Executions.TryCancel(two));

        var (byIds, outcome) = await AskAsync(
            HttpMethod.Post, "/cancel", $$"""{"ids":["{{one.Id}}","{{two.Id}}","X"],"reason":"enough"}""");
        var (byFilter, matched) = await AskAsync(HttpMethod.Post, "/cancel", """{"filter":{"labels":{"team":"red"}}}""");
        var (_, end) = await AskAsync(HttpMethod.Get, "/" + one.Id);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (byIds.StatusCode, byFilter.StatusCode));
        Assert.Equal(
            $$"""{"cancelled":["{{one.Id}}"],"refused":[{"id":"X","message":"Test execution not found: X","code":"not_found"},{"id":"{{two.Id}}","message":"Cannot cancel: execution is not running (current status: cancelled)","code":"not_running"}]}""",
            outcome.GetRawText());
        Assert.Equal($$"""{"cancelled":["{{red.Text("id")}}"],"refused":[]}""", matched.GetRawText());
        Assert.Equal(("cancelled", "enough"), (end.Text("status"), end.Text("cancel_reason")));
        Assert.Equal(ExecutionStatus.Running, three.State.Status);
    }

    [Fact]
    public async Task DocumentHasAllLinesNoneOrAPage()
    {
        var execution = await _kind.StartAsync(_app, "two", "three", "four");

        var (_, all) = await AskAsync(HttpMethod.Get, "/" + execution.Id);
        var (_, none) = await AskAsync(HttpMethod.Get, $"/{execution.Id}?logs=none");
        var (_, page) = await AskAsync(HttpMethod.Get, $"/{execution.Id}?from=3&limit=1");

        Assert.Equal(3, all.GetProperty("logs").GetArrayLength());
        Assert.Equal(0, none.GetProperty("logs").GetArrayLength());
        Assert.Equal(["three"], page.GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
        Assert.Equal(4, page.Number("logs_next"));
    }

    [Theory]
    [InlineData("POST", "", "[]", "invalid_field")]
    [InlineData("POST", "", "{", "invalid_json")]
    [InlineData("POST", "", """{"kind":"nope"}""", "unknown_kind")]
    [InlineData("POST", "", """{"kind":"manual","on_disconnect":"cancel"}""", "invalid_field")]
    [InlineData("POST", "", """{"kind":"manual","labels":{"a":1}}""", "invalid_field")]
    [InlineData("POST", "/cancel", null, "invalid_field")]
    [InlineData("POST", "/cancel", """{"reason":"which?"}""", "invalid_field")]
    [InlineData("POST", "/cancel", """{"ids":"X"}""", "invalid_field")]
    [InlineData("POST", "/cancel", """{"filter":{"label":{"team":"red"}}}""", "invalid_field")]
    [InlineData("POST", "", """{"kind":"manual","timeout_ms":604800001}""", "invalid_field")]
    [InlineData("POST", "/cancel", """{"filter":{"status":"nope"}}""", "invalid_field")]
    [InlineData("POST", "/cancel", """{"id":"X","ids":["Y"]}""", "invalid_field")]
    [InlineData("POST", "/X/cancel", """{"ids":["Y"]}""", "invalid_field")]
    [InlineData(
        "GET", "?label.a=1&label.b=1&label.c=1&label.d=1&label.e=1&label.f=1&label.g=1&label.h=1&label.i=1"
        + "&label.j=1&label.k=1&label.l=1&label.m=1&label.n=1&label.o=1&label.p=1&label.q=1", null, "invalid_field")]
    [InlineData("GET", "?status=nope", null, "invalid_field")]
    [InlineData("GET", "?limit=501", null, "invalid_field")]
    [InlineData("GET", "?cursor=nope", null, "invalid_cursor")]
    public async Task BadRequestIsAnsweredByName(string method, string path, string? body, string error)
    {
        var (response, answer) = await AskAsync(new HttpMethod(method), path, body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(error, answer.Text("error"));
    }

    [Fact]
    public async Task RoutesAreInTheApisOwnDocumentation()
    {
        var paths = JsonElement.Parse(await _app.Client.GetStringAsync("/swagger/doc.json", Stop)).GetProperty("paths");

        foreach (var (path, methods) in new Dictionary<string, string[]>
        {
            ["/api/v1/executions"] = ["get", "post"],
            ["/api/v1/executions/{id}"] = ["get", "delete"],
            ["/api/v1/executions/{id}/events"] = ["get"],
            ["/api/v1/executions/{id}/cancel"] = ["post"],
            ["/api/v1/executions/cancel"] = ["post"],
        })
        {
            Assert.All(methods, method => Assert.NotEmpty(paths.GetProperty(path).GetProperty(method).Text("summary")));
        }
    }

    private async Task<(HttpResponseMessage Response, JsonElement Answer)> AskAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/executions" + path);
        request.Content = body is null ? null : new StringContent(body);
        var response = await _app.Client.SendAsync(request, Stop);
        _answers.Add(response);
        var text = await response.Content.ReadAsStringAsync(Stop);
        return (response, text.Length == 0 ? default : JsonElement.Parse(text));
    }
}

using System.Net;
using System.Text.Json;

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

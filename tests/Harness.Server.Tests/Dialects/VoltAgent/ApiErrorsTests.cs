using System.Net;
using System.Text;
using System.Text.Json;
using Harness.Server.Tests.Dialects.VoltAgent.Workflows;
using Harness.Workflows;
using Microsoft.AspNetCore.Hosting.Server;

namespace Harness.Server.Tests.Dialects.VoltAgent;

/// <summary>What is refused outside of a handler has the one envelope too, on every path of this API and on no other.</summary>
public sealed class ApiErrorsTests
{
    private const string Order = """{"input":{"orderId":"o1","amount":5}}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Method, path, a header, code, how the error begins.</summary>
    public static TheoryData<string, string, string, int, string> Refusals => new()
    {
        { "GET", "/agents", "", 401, "This server asks for an API key." },
        { "POST", "/agents/demo/text", "", 401, "This server asks for an API key." },
        { "GET", "/agents/a/b/c", "", 401, "This server asks for an API key." },
        { "GET", "/workflows", "X-API-Key: guess", 401, "This server asks for an API key." },
        { "POST", "/workflows/order-approval/execute", "", 401, "This server asks for an API key." },
        { "GET", "/agents", "Origin: https://evil.example", 403, "Pages of 'https://evil.example' may not call this server." },
        { "POST", "/workflows/order-approval/stream", "Origin: https://evil.example", 403, "Pages of 'https://evil.example' may not call this server." },
        { "GET", "/agents/a/b/c", "X-API-Key: s3cret", 404, "Not Found: GET /agents/a/b/c" },
        { "POST", "/agents/demo/nothing", "X-API-Key: s3cret", 404, "Not Found: POST /agents/demo/nothing" },
        { "GET", "/workflows/order-approval/a/b", "X-API-Key: s3cret", 404, "Not Found: GET /workflows/order-approval/a/b" },
        { "DELETE", "/agents/demo", "X-API-Key: s3cret", 405, "Method Not Allowed: DELETE /agents/demo" },
        { "GET", "/agents/demo/text", "X-API-Key: s3cret", 405, "Method Not Allowed: GET /agents/demo/text" },
        { "PUT", "/workflows", "X-API-Key: s3cret", 405, "Method Not Allowed: PUT /workflows" },
        { "GET", "/workflows/order-approval/execute", "X-API-Key: s3cret", 405, "Method Not Allowed: GET /workflows/order-approval/execute" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task RefusalBeforeAnyHandlerHasTheEnvelope(string method, string path, string header, int code, string error)
    {
        await using var app = await StartAsync(("ApiKeys:0", "s3cret"));

        using var response = await SendAsync(app, method, path, header);

        Assert.Equal(code, (int)response.StatusCode);
        Assert.StartsWith(error, await ReadErrorAsync(response));
        Assert.Equal(code == 405, response.Content.Headers.Allow.Count > 0);
    }

    [Theory]
    [InlineData("/agents")]
    [InlineData("/workflows/x/history")]
    public async Task ForeignHostIsRefusedInTheEnvelope(string path)
    {
        await using var app = await StartAsync();

        using var response = await SendAsync(app, "GET", path, "Host: evil.example");

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.StartsWith("This server listens only on its own machine and is not called 'evil.example'.", await ReadErrorAsync(response));
    }

    [Theory]
    [InlineData("/agents/demo/text", """{"input":"hi"}""")]
    [InlineData("/agents/demo/stream", """{"input":"hi"}""")]
    [InlineData("/workflows/order-approval/execute", Order)]
    [InlineData("/workflows/order-approval/stream", Order)]
    public async Task BodyThatIsTooLongFaultOfTheServerAndFullServerHaveTheEnvelope(string path, string body)
    {
        await using var small = await StartAsync(("MaxBodyBytes", "1024"));
        using var tooLong = await PostAsync(small, path, body.PadRight(2000));
        await using var broken = await StartAsync(services => services.AddSingleton<TimeProvider>(new BrokenClock()));
        using var fault = await PostAsync(broken, path, body);
        await using var full = await StartAsync(("Harness:Executions:MaxConcurrent", "1"), ("Harness:Executions:MaxPending", "0"));
        full.Executions.Start(Plans.Until(new TaskCompletionSource(), Task.CompletedTask));
        using var overloaded = await PostAsync(full, path, body);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLong.StatusCode);
        Assert.Equal("The request body is longer than this server accepts (Harness:Server:MaxBodyBytes)", await ReadErrorAsync(tooLong));
        Assert.Equal(HttpStatusCode.InternalServerError, fault.StatusCode);
        Assert.Equal("Internal server error; the server's log has the details", await ReadErrorAsync(fault));
        Assert.Contains(broken.Log.Lines, line => line.Contains("The spring is broken", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, overloaded.StatusCode);
        Assert.NotEmpty(await ReadErrorAsync(overloaded));
    }

    [Theory]
    [InlineData("/agents/demo/stream")]
    [InlineData("/workflows/order-approval/execute")]
    [InlineData("/workflows/order-approval/stream")]
    public async Task CompressedBodyIsRefusedInTheEnvelope(string path)
    {
        await using var app = await StartAsync();
        var content = new ByteArrayContent([0x1f, 0x8b, 8, 0]);
        content.Headers.ContentEncoding.Add("gzip");

        using var response = await app.Client.PostAsync(path, content, Stop);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.EndsWith("send it uncompressed", await ReadErrorAsync(response));
    }

    [Theory]
    [InlineData("POST", "/agents/own/note", 415, "Unsupported Media Type: POST /agents/own/note")]
    [InlineData("GET", "/workflows/own/broken", 500, "The server's log has the details of request ")]
    [InlineData("GET", "/workflows/own/empty", 409, "Conflict: GET /workflows/own/empty")]
    public async Task RouteOfTheProgramItselfBelowThosePathsHasTheEnvelopeToo(string method, string path, int code, string error)
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddHarness();
        builder.Configuration["Harness:Store:MemoryOnly"] = "true";
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.MapHarness();
        app.MapPost("/agents/own/note", (Note note) => note);
        app.MapGet("/workflows/own/broken", string () => throw new InvalidOperationException("The spring is broken"));
        app.MapGet("/workflows/own/empty", () => Results.StatusCode(409));
        await app.StartAsync(Stop);
        using var client = new HttpClient { BaseAddress = new Uri(StartBanner.AddressOf(app.Services.GetRequiredService<IServer>())) };
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent("text") };

        using var response = await client.SendAsync(request, Stop);

        Assert.Equal(code, (int)response.StatusCode);
        Assert.StartsWith(error, await ReadErrorAsync(response));
    }

    [Theory]
    [InlineData("GET", "/api/v1/executions", "", 401, """{"error":"Unauthorized","message":"This server asks for an API key.""")]
    [InlineData("GET", "/health", "Origin: https://evil.example", 403, """{"error":"Origin not allowed","message":"Pages of """)]
    [InlineData("GET", "/agentsx", "X-API-Key: s3cret", 404, "404 page not found")]
    [InlineData("DELETE", "/api/v1/executions", "X-API-Key: s3cret", 404, "404 page not found")]
    public async Task OtherPathsKeepTheBodyOfTheHouse(string method, string path, string header, int code, string body)
    {
        await using var app = await StartAsync(("ApiKeys:0", "s3cret"));

        using var response = await SendAsync(app, method, path, header);

        Assert.Equal(code, (int)response.StatusCode);
        Assert.StartsWith(body, await response.Content.ReadAsStringAsync(Stop));
    }

    private static Task<HarnessApp> StartAsync(params (string, string?)[] settings) => StartAsync(_ => { }, settings);

    private static Task<HarnessApp> StartAsync(Action<IServiceCollection> configure, params (string, string?)[] settings) =>
        HarnessApp.StartAsync(
            services =>
            {
                services.AddHarness().AddWorkflow(WorkflowApp.Approval());
                configure(services);
            },
            settings);

    private static Task<HttpResponseMessage> SendAsync(HarnessApp app, string method, string path, string header) =>
        app.SendAsync(new HttpMethod(method), path, header.Split(": ") is [var name, var value] ? [(name, value)] : []);

    private static Task<HttpResponseMessage> PostAsync(HarnessApp app, string path, string body) =>
        app.Client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Stop);

    private static async Task<string> ReadErrorAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var body = JsonElement.Parse(await response.Content.ReadAsByteArrayAsync(Stop));
        Assert.Equal(["success", "error"], body.EnumerateObject().Select(member => member.Name));
        Assert.False(body.GetProperty("success").GetBoolean());
        return body.GetProperty("error").GetString()!;
    }

    private sealed record Note(string Text);
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Harness.Server.Safety;
using Microsoft.Extensions.Options;

namespace Harness.Server.Tests.Safety;

public sealed class CrossOriginTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http://localhost:3000")]
    [InlineData("https://app.localhost")]
    [InlineData("http://127.0.0.1:5173")]
    [InlineData("http://[::1]:5173")]
    public async Task PageOfThisMachineMayReadAnswers(string origin)
    {
        await using var app = await HarnessApp.StartAsync();

        using var response = await app.SendAsync(HttpMethod.Get, "/health", ("Origin", origin));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["*"], response.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.False(response.Headers.Contains("Vary"));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("http://[::1]:8080")]
    [InlineData("HTTPS://My.Page:8443")]
    [InlineData("chrome-extension://aaaabbbbccccddddeeeeffffgggghhhh")]
    [InlineData("capacitor://localhost")]
    public async Task OriginThatABrowserSendsCanBeNamed(string origin)
    {
        await using var app = await HarnessApp.StartAsync(("CorsOrigins:0", origin));

        // Browsers write it in small letters, whoever configures it as he likes.
        var sent = origin.ToLowerInvariant();
        using var response = await app.SendAsync(HttpMethod.Get, "/health", ("Origin", sent));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([sent], response.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task PreflightHasTheDocumentedHeaders()
    {
        await using var app = await HarnessApp.StartAsync();

        using var response = await app.SendAsync(HttpMethod.Options, "/api/v1/tests/execute", ("Origin", "http://localhost:3000"));

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("*", Header(response, "Access-Control-Allow-Origin"));
        Assert.Equal("GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS", Header(response, "Access-Control-Allow-Methods"));
        Assert.Equal("Origin,Content-Length,Content-Type,Authorization,X-API-Key", Header(response, "Access-Control-Allow-Headers"));
        Assert.Equal("43200", Header(response, "Access-Control-Max-Age"));
    }

    [Fact]
    public async Task PreflightAllowsWhatThePageWantsToSend()
    {
        await using var app = await HarnessApp.StartAsync();

        using var response = await app.SendAsync(
            HttpMethod.Options,
            "/agents/demo/stream",
            ("Origin", "http://localhost:3000"),
            ("Access-Control-Request-Headers", "content-type, last-event-id,x-request-id"));

        Assert.Equal(
            "Origin,Content-Length,Content-Type,Authorization,X-API-Key,last-event-id,x-request-id", Header(response, "Access-Control-Allow-Headers"));
    }

    [Theory]
    [InlineData("é", "")]
    [InlineData("x-\u0001,x-good,x y,\"z\"", ",x-good")]
    public async Task PreflightForWhatIsNoHeaderIsAnsweredWithoutIt(string wanted, string allowed)
    {
        await using var app = await HarnessApp.StartAsync();

        var answer = await AskRawAsync(app, $"OPTIONS /health HTTP/1.1\r\nOrigin: http://localhost:3000\r\nAccess-Control-Request-Headers: {wanted}");

        Assert.StartsWith("HTTP/1.1 204 ", answer, StringComparison.Ordinal);
        Assert.Contains($"Access-Control-Allow-Headers: Origin,Content-Length,Content-Type,Authorization,X-API-Key{allowed}\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "http://é.localhost")]
    [InlineData("", "http://localhost:3000/é")]
    [InlineData("", "http://é@localhost:3000")]
    [InlineData("", "http://evil.example@localhost")]
    [InlineData("*", "https://é.example")]
    [InlineData("*", "https://anyone.example\u0001")]
    public async Task WhatIsNoOriginIsRefusedAndNotRepeatedInAHeader(string configured, string origin)
    {
        // With a key answers name the origin.
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "k"), ("CorsOrigins:0", configured.Length > 0 ? configured : "http://configured.example"));

        var answer = await AskRawAsync(app, $"GET /health HTTP/1.1\r\nOrigin: {origin}");

        Assert.StartsWith("HTTP/1.1 403 ", answer, StringComparison.Ordinal);
        Assert.Contains("Origin not allowed", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost:3000/")]
    [InlineData("http://localhost:80")]
    public async Task OriginOfThisMachineAsScriptsWriteItIsAllowed(string origin)
    {
        await using var app = await HarnessApp.StartAsync();

        Assert.StartsWith("HTTP/1.1 200 ", await AskRawAsync(app, $"GET /health HTTP/1.1\r\nOrigin: {origin}"), StringComparison.Ordinal);
    }

    [Fact]
    public void OriginThatIsNotWrittenAsBrowsersDoCannotBeConfigured()
    {
        Assert.False(OriginPolicy.IsUsable("https://é.example"));
        Assert.True(OriginPolicy.IsUsable("https://xn--9ca.example"));
    }

    [Fact]
    public async Task PageMayReadWhereWhatItStartedIs()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/executions")
        {
            Content = new StringContent("""{"kind":"synthetic","data":{"lines":1}}"""),
            Headers = { { "Origin", "http://localhost:3000" } },
        };

        using var response = await app.Client.SendAsync(request, Stop);

        Assert.NotNull(response.Headers.Location);
        Assert.Equal("Location", Header(response, "Access-Control-Expose-Headers"));
    }

    [Fact]
    public async Task RequestWithoutOriginAndOfTheSameOriginGetNoHeader()
    {
        await using var app = await HarnessApp.StartAsync();

        using var without = await app.SendAsync(HttpMethod.Get, "/health");
        using var same = await app.SendAsync(HttpMethod.Get, "/health", ("Origin", app.Address.GetLeftPart(UriPartial.Authority)));

        Assert.False(without.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(same.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.OK, same.StatusCode);
    }

    [Theory]
    [InlineData("http://harness.example")]
    [InlineData("https://harness.example")]
    public async Task PageBehindTheProxyOfTheServerIsItsOwnWithTlsOrWithout(string origin)
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "k"));

        using var response = await app.SendAsync(
            HttpMethod.Get, "/api/v1/executions", ("Host", "harness.example"), ("Origin", origin), ("X-API-Key", "k"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://evillocalhost")]
    [InlineData("capacitor://localhost")]
    [InlineData("http://localhost.evil.example")]
    [InlineData("http://127.0.0.1.evil.example")]
    [InlineData("null")]
    public async Task PageOfAnotherSiteIsRefusedBeforeAnythingRuns(string origin)
    {
        await using var app = await HarnessApp.StartAsync();

        using var response = await app.SendAsync(HttpMethod.Post, "/api/v1/tests/execute", ("Origin", origin));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!;
        Assert.Equal("Origin not allowed", (string?)error["error"]);
        Assert.Contains($"--cors-origin {origin}", (string?)error["message"]);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task ConfiguredOriginIsNamedInTheAnswer()
    {
        await using var app = await HarnessApp.StartAsync(("CorsOrigins:0", "https://app.example.com/"));

        using var response = await app.SendAsync(HttpMethod.Get, "/health", ("Origin", "https://app.example.com"));

        Assert.Equal("https://app.example.com", Header(response, "Access-Control-Allow-Origin"));
        Assert.Equal("Origin", Header(response, "Vary"));
    }

    [Fact]
    public async Task StarAllowsEveryOrigin()
    {
        await using var app = await HarnessApp.StartAsync(("CorsOrigins:0", "*"));

        using var response = await app.SendAsync(HttpMethod.Get, "/health", ("Origin", "https://anyone.example"));

        Assert.Equal("*", Header(response, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task ErrorAnswersCanBeReadToo()
    {
        await using var app = await HarnessApp.StartAsync(("MaxBodyBytes", "1024"), ("ApiKeys:0", "k"));

        using var unauthorized = await app.SendAsync(HttpMethod.Get, "/nope", ("Origin", "http://localhost:1"));
        using var notFound = await app.SendAsync(HttpMethod.Get, "/nope", ("Origin", "http://localhost:1"), ("X-API-Key", "k"));

        Assert.Equal(HttpStatusCode.Unauthorized, unauthorized.StatusCode);
        Assert.Equal("http://localhost:1", Header(unauthorized, "Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.NotFound, notFound.StatusCode);
        Assert.Equal("http://localhost:1", Header(notFound, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task SwitchedOffThereAreNoHeadersAndNoPreflight()
    {
        await using var app = await HarnessApp.StartAsync(("Cors", "false"));

        using var get = await app.SendAsync(HttpMethod.Get, "/health", ("Origin", "http://localhost:3000"));
        using var preflight = await app.SendAsync(HttpMethod.Options, "/health", ("Origin", "http://localhost:3000"));

        Assert.Equal(HttpStatusCode.OK, get.StatusCode);
        Assert.False(get.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.NotFound, preflight.StatusCode);
    }

    [Fact]
    public async Task SwitchedOffAPageOfAnotherOriginCanChangeNothing()
    {
        await using var app = await HarnessApp.StartAsync(("Cors", "false"), ("Synthetic", "true"));

        var foreign = await PostAsync("http://localhost:3000");
        var own = await PostAsync(app.Address.GetLeftPart(UriPartial.Authority));

        Assert.Equal(HttpStatusCode.Forbidden, foreign.Status);
        Assert.Contains("--cors=false", foreign.Body);
        Assert.Equal(HttpStatusCode.Accepted, own.Status);
        Assert.Single(app.Executions.List());

        async Task<(HttpStatusCode Status, string Body)> PostAsync(string origin)
        {
            // As a page may send it without asking first.
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/executions")
            {
                Content = new StringContent("""{"kind":"synthetic","data":{"lines":1}}""", System.Text.Encoding.UTF8, "text/plain"),
                Headers = { { "Origin", origin } },
            };
            using var response = await app.Client.SendAsync(request, Stop);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(Stop));
        }
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.Forbidden)]
    [InlineData("evil.example:8080", HttpStatusCode.Forbidden)]
    [InlineData("evillocalhost", HttpStatusCode.Forbidden)]
    [InlineData("localhost:8080", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("192.168.1.5:8080", HttpStatusCode.OK)]
    [InlineData("harness.example", HttpStatusCode.OK)]
    public async Task ServerOfThisMachineIsNotCalledByAForeignName(string host, HttpStatusCode expected)
    {
        await using var app = await HarnessApp.StartAsync(("CorsOrigins:0", "http://harness.example"));

        using var response = await app.SendAsync(HttpMethod.Get, "/health", ("Host", host));

        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("/ws")]
    [InlineData("/hub")]
    public async Task SocketsOfAServerOfThisMachineAreNotOpenedByAForeignName(string path)
    {
        await using var app = await HarnessApp.StartAsync();

        // A page whose name was pointed at this machine is of the same origin as what it asks.
        using var response = await app.SendAsync(HttpMethod.Get, path, ("Host", "evil.example"), ("Origin", "http://evil.example"),
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("Host not allowed", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!["error"]);
    }

    [Theory]
    [InlineData("0.0.0.0", "")]
    [InlineData("127.0.0.1", "*")]
    public void ServerOfTheNetworkOrOfAllOriginsIsCalledByAnyName(string listensOn, string origin)
    {
        var policy = new OriginPolicy(Options.Create(new ServerOptions { Host = listensOn, CorsOrigins = origin.Length > 0 ? [origin] : [] }));
        var request = new DefaultHttpContext { Request = { Host = new HostString("harness.example") } }.Request;

        Assert.True(policy.IsHostAllowed(request));
    }

    [Fact]
    public async Task WithKeysAnyNameWillDo()
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "k"));

        using var response = await app.SendAsync(HttpMethod.Get, "/health", ("Host", "harness.example"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    // An HttpClient sends no letters of other alphabets.
    private static async Task<string> AskRawAsync(HarnessApp app, string head)
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(app.Address.Host, app.Address.Port, Stop);
        await tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes($"{head}\r\nHost: {app.Address.Authority}\r\nConnection: close\r\n\r\n"), Stop);
        using var reader = new StreamReader(tcp.GetStream());
        return await reader.ReadToEndAsync(Stop);
    }

    private static string Header(HttpResponseMessage response, string name) => Assert.Single(response.Headers.GetValues(name));
}

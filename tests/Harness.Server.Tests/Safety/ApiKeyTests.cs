using System.Buffers.Text;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Harness.Server.Safety;
using Microsoft.Extensions.Options;

namespace Harness.Server.Tests.Safety;

public sealed class ApiKeyTests : IAsyncLifetime
{
    private HarnessApp _app = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _app = await HarnessApp.StartAsync(("ApiKeys:0", "first"), ("ApiKeys:1", "second"));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData("Authorization", "Bearer first")]
    [InlineData("authorization", "bearer second")]
    [InlineData("X-API-Key", "second")]
    public async Task HeaderWithAKeyOpens(string name, string value)
    {
        using var response = await _app.SendAsync(HttpMethod.Get, "/api/v1/system/info", (name, value));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("Basic first")]
    [InlineData("first")]
    public async Task KeyOfAnotherSchemeOpensNothing(string authorization)
    {
        using var response = await _app.SendAsync(HttpMethod.Get, "/api/v1/system/info", ("Authorization", authorization));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task QueryWithAKeyOpens()
    {
        using var response = await _app.SendAsync(HttpMethod.Get, "/api/v1/system/info?x=1&access_token=first");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("first")]
    [InlineData("")]
    public async Task KeyInTheQueryIsNotSeenBehindTheGate(string key)
    {
        var ring = new ApiKeyRing(Options.Create(new ServerOptions { ApiKeys = [key] }));
        var context = new DefaultHttpContext { Request = { QueryString = new QueryString("?x=1&access_token=first&y=a%26b") } };
        string? seen = null;

        await new ApiKeyGate(See, ring).InvokeAsync(context);

        Assert.Equal("?x=1&y=a%26b", seen);

        Task See(HttpContext behind)
        {
            seen = behind.Request.QueryString.Value;
            return Task.CompletedTask;
        }
    }

    [Theory]
    [InlineData("/api/v1/system/info")]
    [InlineData("/api/v1/tests/status/x")]
    [InlineData("/swagger")]
    [InlineData("/doc")]
    [InlineData("/")]
    [InlineData("/swagger/doc.json")]
    [InlineData("/ws")]
    [InlineData("/nope")]
    [InlineData("/healthy")]
    [InlineData("/api/v1/system/info?access_token=third")]
    public async Task WithoutAKeyEverythingIsClosed(string path)
    {
        using var response = await _app.SendAsync(HttpMethod.Get, path, ("X-API-Key", "wrong"));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!;
        Assert.Equal("Unauthorized", (string?)error["error"]);
        Assert.Contains("Authorization: Bearer", (string?)error["message"]);
        Assert.Contains("X-API-Key", (string?)error["message"]);
        Assert.Contains("access_token", (string?)error["message"]);
    }

    [Theory]
    [InlineData("first", "harness", true)]
    [InlineData("first", "other", true)]
    [InlineData("third", "harness", false)]
    [InlineData("", "harness", false)]
    public async Task SocketBringsAKeyBesideItsSubprotocol(string key, string protocol, bool isLetIn)
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        socket.Options.AddSubProtocol("harness.key." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(key)));
        socket.Options.CollectHttpResponseDetails = true;

        if (isLetIn)
        {
            await socket.ConnectAsync(_app.WebSocketUri, Stop);
        }
        else
        {
            await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(_app.WebSocketUri, Stop));
        }

        Assert.Equal(isLetIn ? HttpStatusCode.SwitchingProtocols : HttpStatusCode.Unauthorized, socket.HttpStatusCode);
        Assert.Equal(isLetIn && protocol == "harness" ? "harness" : null, socket.SubProtocol);
    }

    [Fact]
    public async Task WhatIsNoKeyInASubprotocolOpensNothing()
    {
        using var response = await _app.SendAsync(HttpMethod.Get, "/api/v1/system/info", ("Sec-WebSocket-Protocol", "harness, harness.key.%%%, harness.key.a, harness.key."));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    public async Task HealthChecksNeedNoKey(string path)
    {
        using var response = await _app.SendAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("/ui", "/doc")]
    [InlineData("/swagger/index.html", "/swagger/doc.json")]
    public async Task PageAndItsFilesNeedNoKeyAndBringTheOneTheyAreGiven(string path, string document)
    {
        var page = new Uri(_app.Address, path);
        var html = await _app.Client.GetStringAsync(page, Stop);
        var files = Regex.Matches(html, "(?:src|href)=\"([^\"]+)\"").Select(match => new Uri(page, match.Groups[1].Value)).ToList();
        Assert.Contains(files, file => file.AbsolutePath.EndsWith("swagger-ui-bundle.js", StringComparison.Ordinal));
        foreach (var file in files)
        {
            using var response = await _app.Client.GetAsync(file, Stop);
            Assert.True(response.IsSuccessStatusCode, $"{file}: {response.StatusCode}");
        }

        var script = await _app.Client.GetStringAsync(files.Single(file => file.AbsolutePath.EndsWith("/index.js", StringComparison.Ordinal)), Stop);
        using var described = await _app.SendAsync(HttpMethod.Get, document, ("X-API-Key", "first"));

        Assert.Contains("request.headers['X-API-Key'] = key", Regex.Unescape(script));
        Assert.Equal(HttpStatusCode.OK, described.StatusCode);
    }

    [Fact]
    public async Task PageOfAServerWithoutKeysAsksForNone()
    {
        await using var app = await HarnessApp.StartAsync();

        Assert.DoesNotContain("X-API-Key", await app.Client.GetStringAsync("/ui/index.js", Stop));
    }

    [Fact]
    public async Task PreflightNeedsNoKey()
    {
        using var response = await _app.SendAsync(HttpMethod.Options, "/api/v1/tests/execute", ("Origin", "http://localhost:3000"));

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("http://localhost:3000", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    [Fact]
    public void KeysAreKeptAsHashes()
    {
        var options = _app.Services.GetRequiredService<IOptions<ServerOptions>>().Value;
        var configuration = _app.Services.GetRequiredService<IConfiguration>();

        Assert.All(options.ApiKeys, key => Assert.Matches("^sha256:[0-9a-f]{64}$", key));
        Assert.DoesNotContain(configuration.AsEnumerable(), pair => pair.Value is "first" or "second");
    }

    [Fact]
    public void HashIsNoKey()
    {
        var ring = _app.Services.GetRequiredService<ApiKeyRing>();

        Assert.True(ring.Accepts("first"));
        Assert.False(ring.Accepts(ApiKeyRing.Conceal("first")));
    }

    [Fact]
    public async Task KeyCanBeConfiguredAsItsHash()
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", ApiKeyRing.Conceal("first")));

        using var response = await app.SendAsync(HttpMethod.Get, "/api/v1/system/info", ("X-API-Key", "first"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Harness.Server.Tests.Dialects.Voiceflow;

public sealed class RestErrorTests : IAsyncLifetime
{
    private const string ThreeMissing =
        "Key: 'TestExecutionRequest.Suite.Name' Error:Field validation for 'Name' failed on the 'required' tag\n"
        + "Key: 'TestExecutionRequest.Suite.EnvironmentName' Error:Field validation for 'EnvironmentName' failed on the 'required' tag\n"
        + "Key: 'TestExecutionRequest.Suite.Tests' Error:Field validation for 'Tests' failed on the 'required' tag";

    private HarnessApp _app = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _app = await HarnessApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Theory]
    [InlineData("", "EOF")]
    [InlineData("""{"suite":""", "unexpected EOF")]
    [InlineData("nope", "invalid character 'o' in literal null (expecting 'u')")]
    [InlineData("{}", ThreeMissing)]
    [InlineData("null", ThreeMissing)]
    [InlineData("""{"suite":{"name":"","environment_name":null,"tests":null}}""", ThreeMissing)]
    [InlineData("[]", "json: cannot unmarshal array into Go value of type handlers.TestExecutionRequest")]
    [InlineData(
        """{"suite":{"name":"n","environment_name":"e","tests":[{"test":{}}]}}""",
        "Key: 'TestExecutionRequest.Suite.Tests[0].ID' Error:Field validation for 'ID' failed on the 'required' tag")]
    [InlineData(
        """{"suite":{"name":5}}""",
        "json: cannot unmarshal number into Go struct field TestSuiteRequest.suite.name of type string")]
    public async Task BadRequestIsRefusedInTheWordsOfTheSeed(string body, string message)
    {
        using var response = await _app.Client.PostAsync("/api/v1/tests/execute", new StringContent(body), Stop);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!.AsObject();
        Assert.Equal(["error", "message"], error.Select(member => member.Key));
        Assert.Equal("Invalid request", (string?)error["error"]);
        Assert.Equal(message, (string?)error["message"]);
    }

    [Fact]
    public async Task BytesOfAnErrorAreThoseOfTheSeed()
    {
        using var response = await _app.Client.PostAsync("/api/v1/tests/execute", new StringContent("nope"), Stop);

        Assert.Equal(
            """{"error":"Invalid request","message":"invalid character 'o' in literal null (expecting 'u')"}""",
            await response.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("GET", "/api/v1/tests/status/nope")]
    [InlineData("POST", "/api/v1/tests/cancel/nope")]
    public async Task UnknownExecutionIsNotFound(string method, string path)
    {
        using var response = await _app.SendAsync(new HttpMethod(method), path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(
            """{"error":"Test execution not found","message":"No test execution found with ID: nope"}""",
            await response.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("GET", "/nope")]
    [InlineData("POST", "/health")]
    [InlineData("HEAD", "/api/v1/system/info")]
    [InlineData("GET", "/api/v1/tests/execute")]
    [InlineData("GET", "/api/v1/tests/status/")]
    [InlineData("GET", "/api/v1/tests/status")]
    [InlineData("OPTIONS", "/health")]
    public async Task UnknownRouteAndWrongMethodAreOnePage(string method, string path)
    {
        using var response = await _app.SendAsync(new HttpMethod(method), path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.ToString());
        Assert.False(response.Content.Headers.Contains("Allow"));
        Assert.Equal(method == "HEAD" ? "" : "404 page not found", await response.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("/health/", "/health")]
    [InlineData("/api/v1/executions/?limit=1&access_token=a%26b", "/api/v1/executions?limit=1&access_token=a%26b")]
    [InlineData("/api/v1/executions/%C3%A4%0D%3F%23%20/?logs=none", "/api/v1/executions/%C3%A4%0D%3F%23%20?logs=none")]
    public async Task TrailingSlashIsRedirectedToThePathAndTheQueryThatWereSent(string sent, string location)
    {
        using var response = await _app.SendAsync(HttpMethod.Get, sent);

        Assert.Equal(HttpStatusCode.MovedPermanently, response.StatusCode);
        Assert.Equal(location, response.Headers.Location?.ToString());
    }

    [Theory]
    [InlineData("/api/v1/tests/execute", "message")]
    [InlineData("/api/v1/executions", "message")]
    [InlineData("/api/v1/executions/cancel", "message")]
    [InlineData("/agents/demo/text", "error")]
    public async Task CompressedBodyIsRefusedAndToldHowToBeSent(string path, string member)
    {
        var content = new ByteArrayContent([0x1f, 0x8b, 8, 0]);
        content.Headers.ContentEncoding.Add("gzip");

        using var response = await _app.Client.PostAsync(path, content, Stop);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal(
            "The request body has the content encoding 'gzip', which this server does not read; send it uncompressed",
            (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))![member]);
    }

    [Fact]
    public async Task BodyThatIsSaidToBeAsItIsIsRead()
    {
        var content = new StringContent("nope");
        content.Headers.ContentEncoding.Add("identity");

        using var response = await _app.Client.PostAsync("/api/v1/tests/execute", content, Stop);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task LongBodyIsRefusedWithAnErrorThatNamesTheLimit()
    {
        await using var small = await HarnessApp.StartAsync(("MaxBodyBytes", "1024"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tests/execute")
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(new string(' ', 1025))),
        };

        using var response = await small.Client.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("Request too large", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!["error"]);
    }

    [Theory]
    [InlineData("/api/v1/executions")]
    [InlineData("/agents/demo/text")]
    public async Task BodyThatIsTooLongIsReadOnSoThatItsSenderSeesTheRefusal(string path)
    {
        await using var small = await HarnessApp.StartAsync(("MaxBodyBytes", "1024"));
        using var client = new TcpClient();
        await client.ConnectAsync(small.Address.Host, small.Address.Port, Stop);
        var connection = client.GetStream();

        // The refusal is there before the body, which is more than any socket holds.
        var length = 64 * 1024 * 1024;
        await connection.WriteAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n"), Stop);
        using var reader = new StreamReader(connection, Encoding.ASCII);
        var refusal = await reader.ReadLineAsync(Stop);
        await connection.WriteAsync(new byte[length], Stop);
        var rest = await reader.ReadToEndAsync(Stop);

        Assert.Equal("HTTP/1.1 413 Payload Too Large", refusal);
        Assert.Contains("The request body is longer than this server accepts", rest);
    }
}

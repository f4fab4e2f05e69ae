using System.Text;
using System.Text.Json;
using Harness.Generations;

namespace Harness.Server.Tests.Dialects.VoltAgent.Agents;

/// <summary>Servers with an agent <c>a</c> whose model a test writes, and requests to it.</summary>
internal static class AgentApp
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Task<HarnessApp> StartAsync(IChatModel model, Action<IServiceCollection>? configure = null, params (string, string?)[] settings) =>
        HarnessApp.StartAsync(
            services =>
            {
                services.AddHarness().AddAgent(new AgentDefinition { Id = "a", Name = "Ann", Instructions = "Be brief.", ChatModel = model });
                configure?.Invoke(services);
            },
            settings);

    /// <summary>Sends a body and reads the whole answer.</summary>
    public static async Task<(int Status, JsonElement Body)> PostAsync(this HarnessApp app, string path, string? body)
    {
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await app.Client.PostAsync(path, content, Stop);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop)));
    }

    /// <summary>Opens a stream; it goes on while the response is not disposed.</summary>
    public static async Task<(HttpResponseMessage Response, StreamReader Lines)> OpenAsync(this HarnessApp app, string path, string body, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        var response = await (client ?? app.Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        return (response, new StreamReader(await response.Content.ReadAsStreamAsync(Stop)));
    }

    /// <summary>A whole stream, with its times replaced by <c>T</c>.</summary>
    public static async Task<List<string>> ReadStreamAsync(this HarnessApp app, string path, string body)
    {
        var (response, lines) = await app.OpenAsync(path, body);
        using (response)
        {
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
            return Blocks(await lines.ReadToEndAsync(Stop));
        }
    }

    /// <summary>The blocks of a stream, with their times replaced by <c>T</c>.</summary>
    public static List<string> Blocks(string stream)
    {
        Assert.EndsWith("\n\n", stream);
        return [.. stream[..^2].Split("\n\n").Select(WithoutTime)];
    }

    public static string WithoutTime(string block) =>
        System.Text.RegularExpressions.Regex.Replace(block, @"""timestamp"":""\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z""", "\"timestamp\":\"T\"");

    public static JsonElement Data(this (int Status, JsonElement Body) answer)
    {
        Assert.True(answer.Status == 200, answer.Body.ToString());
        Assert.True(answer.Body.GetProperty("success").GetBoolean());
        return answer.Body.GetProperty("data");
    }
}

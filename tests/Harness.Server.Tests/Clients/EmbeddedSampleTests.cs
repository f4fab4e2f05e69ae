using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Server.Tests.Cli;

namespace Harness.Server.Tests.Clients;

/// <summary>samples/embedded: Harness inside a program of somebody's own.</summary>
public sealed partial class EmbeddedSampleTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ProgramServesItsAgentItsToolAndItsOwnEndpoint()
    {
        await using var program = ChildProcess.Start(
            "dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Harness.Embedded.dll"), "--urls", "http://127.0.0.1:0"], Stop);
        var address = Address().Match(await program.WaitForLineAsync(line => Address().IsMatch(line))).Value;
        await program.WaitForLineAsync(line => line.Contains("Custom endpoint GET /api/users/{id} - Get user by ID", StringComparison.Ordinal));
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        using var body = new StringContent("""{"input":"What does a pizza cost?"}""");

        using var answer = await client.PostAsync("/agents/shop/text", body, Stop);
        var user = await client.GetStringAsync("/api/users/5", Stop);
        var document = JsonElement.Parse(await client.GetStringAsync("/doc", Stop));

        var text = JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop)).GetProperty("data").Text("text");
        Assert.Equal("That is 9.5 euros.", text);
        Assert.Contains("\"id\":\"5\"", user);
        Assert.Equal("Get user by ID", document.GetProperty("paths").GetProperty("/api/users/{id}").GetProperty("get").Text("summary"));
    }

    [Fact]
    public async Task ProgramHasFewerThanSixtyLines() =>
        Assert.InRange((await File.ReadAllLinesAsync(Repository.File("samples", "embedded", "Program.cs"), Stop)).Length, 1, 59);

    [GeneratedRegex(@"http://[\d.]+:[1-9]\d*")]
    private static partial Regex Address();
}

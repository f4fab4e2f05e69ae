using System.Text.Json;
using Harness.Executions;
using Harness.Server.Dialects.Voiceflow;

namespace Harness.Server.Tests.Dialects.Voiceflow;

public sealed class SuiteKindTests : IAsyncLifetime
{
    private HarnessApp _app = null!;

    public async ValueTask InitializeAsync() => _app = await HarnessApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public void SuiteIsAmongTheKindsOfTheServer()
    {
        var kinds = _app.Services.GetServices<IExecutionKind>().Select(kind => kind.Name);

        Assert.Contains("suite", kinds);
        Assert.DoesNotContain("synthetic", kinds);
    }

    [Fact]
    public async Task SyntheticIsAKindOnlyWhereItWasAskedFor()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));

        Assert.Contains("synthetic", app.Services.GetServices<IExecutionKind>().Select(kind => kind.Name));
    }

    [Fact]
    public void NoDataIsAnError()
    {
        var error = Assert.Throws<ExecutionInputException>(() => Kind().Plan(default));

        Assert.Equal("unexpected end of JSON input", error.Message);
    }

    [Theory]
    [InlineData("\"x\"", "json: cannot unmarshal string into Go value of type handlers.TestExecutionRequest")]
    [InlineData("""{"suite":{"name":5}}""", "json: cannot unmarshal number into Go struct field TestSuiteRequest.suite.name of type string")]
    public void ValuesAreOfTheirTypesAsOverRest(string data, string message)
    {
        var error = Assert.Throws<ExecutionInputException>(() => Kind().Plan(JsonElement.Parse(data)));

        Assert.Equal(message, error.Message);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"suite":{"name":"n","tests":[{}]}}""")]
    public void NothingIsRequiredAsInTheSeedsServer(string data)
    {
        var plan = Kind().Plan(JsonElement.Parse(data));

        Assert.Equal("suite", plan.Request.Kind);
    }

    private SuiteKind Kind() => _app.Services.GetRequiredService<SuiteKind>();
}

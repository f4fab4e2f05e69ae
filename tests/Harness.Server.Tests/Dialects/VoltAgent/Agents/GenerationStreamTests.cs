using System.Net;
using System.Text.Json;
using Harness.Agents;
using Harness.Executions;
using Harness.Server.Tests.Transports;
using Harness.Server.Tests.Transports.Rest;
using Harness.Server.Tests.Transports.SignalR;
using Harness.Tests;
using Harness.Tests.Generations;

namespace Harness.Server.Tests.Dialects.VoltAgent.Agents;

public sealed class GenerationStreamTests
{
    private const string Finish =
        """data: {"finishReason":"stop","usage":{"promptTokens":3,"completionTokens":2,"totalTokens":5},"timestamp":"T","type":"finish"}""";

    private const string Completion = """data: {"done":true,"type":"completion","timestamp":"T"}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TextIsStreamedAsTheApiWritesIt()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("tok0 ", "<\"é\">\n"));

        var blocks = await app.ReadStreamAsync("/agents/a/stream", """{"input":"hi"}""");

        Assert.Equal(
            [
                """data: {"text":"tok0 ","timestamp":"T","type":"text"}""",
                """data: {"text":"<\"é\">\n","timestamp":"T","type":"text"}""",
                Finish,
                Completion,
            ],
            blocks);
    }

    [Fact]
    public async Task ObjectIsStreamedAsItGrows()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("{\"name\":\"A", "da\"}"));

        var blocks = await app.ReadStreamAsync(
            "/agents/a/stream-object", """{"input":"hi","schema":{"type":"object","properties":{"name":{"type":"string"}}}}""");

        Assert.Equal(
            [
                """data: {"object":{"name":"A"},"timestamp":"T","type":"object"}""",
                """data: {"object":{"name":"Ada"},"timestamp":"T","type":"object"}""",
                Completion,
            ],
            blocks);
    }

    [Theory]
    [InlineData("STREAM_ERROR", "Incorrect API key provided")]
    [InlineData("ITERATION_ERROR", "the stream broke")]
    public async Task ErrorInTheStreamHasItsCodeAndItsMessageAndIsTheLast(string code, string message)
    {
        var model = new CodeModel(_ => Breaking(code == "STREAM_ERROR" ? new AgentException(message) : new InvalidDataException(message)));
        await using var app = await AgentApp.StartAsync(model);

        var blocks = await app.ReadStreamAsync("/agents/a/stream", """{"input":"hi"}""");

        Assert.Equal(
            [
                """data: {"text":"tok0 ","timestamp":"T","type":"text"}""",
                $$"""data: {"error":"{{message}}","timestamp":"T","type":"error","code":"{{code}}"}""",
            ],
            blocks);
    }

    [Fact]
    public async Task AgentThatCannotBeSetUpSaysSoInTheStream()
    {
        await using var app = await HarnessApp.StartAsync(("Harness:Agents:keyless:Model", "groq/llama"));

        var blocks = await app.ReadStreamAsync("/agents/keyless/stream", """{"input":"hi"}""");

        Assert.Equal(
            """data: {"error":"The provider groq needs a key: set GROQ_API_KEY, or Harness:Generations:Providers:groq:ApiKey","timestamp":"T","type":"error","code":"SETUP_ERROR"}""",
            Assert.Single(blocks));
    }

    [Fact]
    public async Task ObjectThatDoesNotFitEndsTheStreamWithWhatIsWrong()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("5"));

        var blocks = await app.ReadStreamAsync("/agents/a/stream-object", """{"input":"hi","schema":{"type":"object"}}""");

        Assert.Equal(
            """data: {"error":"Schema validation failed: Expected object, received number","timestamp":"T","type":"error","code":"STREAM_ERROR"}""",
            Assert.Single(blocks));
    }

    [Fact]
    public async Task FirstTokenIsThereWhileTheModelStillThinks()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Hanging);
        var (response, lines) = await app.OpenAsync("/agents/a/stream", """{"input":"hi"}""");

        using (response)
        {
            Assert.Equal("""data: {"text":"one ","timestamp":"T","type":"text"}""", AgentApp.WithoutTime((await lines.ReadLineAsync(Stop))!));
            Assert.Equal(ExecutionStatus.Running, Execution(app, response).State.Status);
        }
    }

    [Fact]
    public async Task ClientThatLeavesCancelsTheGenerationAndOtherWatchersAreTold()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Hanging);
        using var client = app.CreateClient();
        var (response, lines) = await app.OpenAsync("/agents/a/stream", """{"input":"hi"}""", client);
        await lines.ReadLineAsync(Stop);
        var execution = Execution(app, response);
        using var watcher = await EventReader.OpenAsync(app.Client, $"/agents/a/executions/{execution.Id}/stream");

        response.Dispose();

        var blocks = (await watcher.ReadToEndAsync()).Select(AgentApp.WithoutTime).ToList();
        Assert.Equal("retry: 2000", blocks[0]);
        Assert.EndsWith("""data: {"error":"Operation cancelled by user","timestamp":"T","type":"error","code":"USER_CANCELLED"}""", blocks[^1]);
        Assert.Equal(ExecutionStatus.Canceled, execution.State.Status);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("object")]
    public async Task ClientThatDoesNotWaitForItsAnswerCancelsTheGeneration(string route)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await AgentApp.StartAsync(CodeModel.HangingAfter(asked.SetResult));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var content = new StringContent("""{"input":"hi","schema":{"type":"object"}}""");
        var asking = app.Client.PostAsync($"/agents/a/{route}", content, leave.Token);
        await asked.Task.WaitAsync(Stop);
        var execution = Assert.Single(app.Executions.List());

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Equal(ExecutionStatus.Canceled, (await execution.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task ResumableStreamGoesOnWithoutItsClientWhoComesBackToIt()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await AgentApp.StartAsync(new ReleasedModel(release.Task));
        using var client = app.CreateClient();
        var (response, lines) = await app.OpenAsync("/agents/a/stream", """{"input":"hi","options":{"resumableStream":true}}""", client);
        Assert.Equal("retry: 2000", await lines.ReadLineAsync(Stop));
        await lines.ReadLineAsync(Stop);
        var id = (await lines.ReadLineAsync(Stop))!;
        var execution = Execution(app, response);
        response.Dispose();
        client.Dispose();
        release.SetResult();

        using var again = await EventReader.OpenAsync(app.Client, $"/agents/a/executions/{execution.Id}/stream", id["id: ".Length..]);
        var blocks = (await again.ReadToEndAsync()).Select(AgentApp.WithoutTime).ToList();

        Assert.Equal($"id: {execution.Epoch}-4\ndata: {{\"text\":\"two\",\"timestamp\":\"T\",\"type\":\"text\"}}", blocks[1]);
        Assert.EndsWith(Completion, blocks[^1]);
    }

    [Fact]
    public async Task EndedGenerationIsReplayedWholeOrFromAnyEvent()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("one ", "two"));
        var id = (await app.PostAsync("/agents/a/text", """{"input":"hi"}""")).Data().Text("executionId");
        var path = $"/agents/a/executions/{id}/stream";
        var execution = (await app.Executions.FindAsync(id, Stop))!;

        using var whole = await EventReader.OpenAsync(app.Client, path);
        var all = (await whole.ReadToEndAsync()).Select(AgentApp.WithoutTime).ToList();
        using var rest = await EventReader.OpenAsync(app.Client, path + "?fromSequence=3");
        using var word = await app.SendAsync(HttpMethod.Get, path + "?fromSequence=x");
        Assert.Equal(HttpStatusCode.BadRequest, word.StatusCode);
        Assert.Contains("fromSequence must be the id of an event: a whole number", await word.Content.ReadAsStringAsync(Stop));
        var later = await rest.ReadToEndAsync();
        using var nothing = await app.SendAsync(HttpMethod.Get, path, ("Last-Event-ID", $"{execution.Epoch}-{execution.Log.LastSequence}"));
        using var wrong = await app.SendAsync(HttpMethod.Get, path, ("Last-Event-ID", "x"));
        using var now = await app.SendAsync(HttpMethod.Get, path + "?from=now");

        Assert.Equal(["text", "text", "finish", "completion"], all.Skip(1).Select(TypeOf));
        Assert.Equal(["text", "finish", "completion"], later.Skip(1).Select(TypeOf));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.BadRequest), (nothing.StatusCode, wrong.StatusCode));
        Assert.Equal(HttpStatusCode.NoContent, now.StatusCode);
    }

    [Fact]
    public async Task CancelEndsEveryStreamWithItsReason()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Hanging);
        var (response, lines) = await app.OpenAsync("/agents/a/stream", """{"input":"hi"}""");
        using var open = response;
        var execution = Execution(app, response);

        var data = (await app.PostAsync($"/agents/a/executions/{execution.Id}/cancel", """{"reason":"too slow"}""")).Data();
        var blocks = AgentApp.Blocks(await lines.ReadToEndAsync(Stop));
        var (again, refusal) = await app.PostAsync($"/agents/a/executions/{execution.Id}/cancel", null);

        Assert.Equal((execution.Id, "cancelled", "too slow"), (data.Text("executionId"), data.Text("status"), data.Text("reason")));
        Assert.Equal("""data: {"error":"too slow","timestamp":"T","type":"error","code":"USER_CANCELLED"}""", blocks[^1]);
        Assert.Equal((409, "Cannot cancel generation in cancelled state"), (again, refusal.Text("error")));
    }

    [Fact]
    public async Task GenerationOfAnotherAgentIsNotFound()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("x"));
        var id = (await app.PostAsync("/agents/a/text", """{"input":"hi"}""")).Data().Text("executionId");

        using var response = await app.SendAsync(HttpMethod.Get, $"/agents/demo/executions/{id}/stream");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task SilentStreamGetsAHeartbeat()
    {
        var time = new ManualTime();
        await using var app = await AgentApp.StartAsync(CodeModel.Hanging, services => services.AddSingleton<TimeProvider>(time));
        var (response, lines) = await app.OpenAsync("/agents/a/stream", """{"input":"hi"}""");
        using var open = response;
        await lines.ReadLineAsync(Stop);
        await lines.ReadLineAsync(Stop);

        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(": hb", await lines.ReadLineAsync(Stop));
    }

    [Fact]
    public async Task StoppingServerEndsEveryStream()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Hanging);
        var (response, lines) = await app.OpenAsync("/agents/a/stream", """{"input":"hi"}""");
        using var open = response;
        await lines.ReadLineAsync(Stop);

        var reading = lines.ReadToEndAsync(Stop);
        await app.StopAsync();

        Assert.Contains("USER_CANCELLED", await reading);
    }

    [Fact]
    public async Task GenerationIsAnExecutionOnEveryTransport()
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("one ", "two"));
        using var socket = await SocketClient.ConnectAsync(app);
        await socket.SendAsync("""{"action":"execute","kind":"generation","data":{"agent":"a","input":"hi"},"events":true,"labels":{"mine":"1"}}""");
        var frames = await socket.ReceiveUntilAsync("result");
        var id = frames[0].Text("id");

        using var sse = await EventReader.OpenAsync(app.Client, $"/api/v1/executions/{id}/events?events=true");
        var stream = await sse.ReadToEndAsync();
        await using var hub = await HubClient.ConnectAsync(app, "messagepack");
        var watched = await hub.WatchAsync(id);
        using var attached = await EventReader.OpenAsync(app.Client, $"/agents/a/executions/{id}/stream");

        Assert.Equal(["one ", "two"], Texts(frames));
        Assert.Equal(["one ", "two"], Texts(watched));
        Assert.Equal(3, stream.Count(block => block.Contains("event: event", StringComparison.Ordinal)));
        Assert.Equal(["text", "text", "finish", "completion"], (await attached.ReadToEndAsync()).Skip(1).Select(TypeOf));
        Assert.Equal("one two", frames[^1].GetProperty("data").Text("text"));
    }

    [Theory]
    [InlineData("""{"input":"hi"}""", "agent must be the id of an agent")]
    [InlineData("""{"agent":"x","input":"hi"}""", "There is no agent 'x'; there are a, demo")]
    [InlineData("""{"agent":"a","input":"hi","options":{"seed":"x"}}""", "options.seed must be a whole number")]
    public async Task ExecuteThatCannotBeDoneIsRefused(string data, string problem)
    {
        await using var app = await AgentApp.StartAsync(CodeModel.Saying("x"));
        using var socket = await SocketClient.ConnectAsync(app);

        var error = await socket.AskJsonAsync($$"""{"action":"execute","kind":"generation","data":{{data}} }""");

        Assert.Equal($"Invalid execute payload: {problem}", error.Text("message"));
    }

    private static IEnumerable<string> Texts(IEnumerable<JsonElement> frames) => frames
        .Where(frame => frame.Type() == "event" && frame.Text("name") == "text").Select(frame => frame.GetProperty("data").Text("text"));

    private static string TypeOf(string block) => JsonElement.Parse(block[(block.IndexOf("data: ", StringComparison.Ordinal) + 6)..]).Type();

    private static IEnumerable<Generations.ModelPart> Breaking(Exception failure)
    {
        yield return new Generations.ModelText("tok0 ");
        throw failure;
    }

    private static Execution Execution(HarnessApp app, HttpResponseMessage response) =>
        app.Executions.TryFind(response.Headers.GetValues("X-Execution-Id").Single(), out var execution)
            ? execution
            : throw new InvalidOperationException("The answer names no execution");

    private sealed class ReleasedModel(Task release) : Generations.IChatModel
    {
        public async IAsyncEnumerable<Generations.ModelPart> StreamAsync(
            Generations.ChatPrompt prompt, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return new Generations.ModelText("one ");
            await release.WaitAsync(cancellationToken);
            yield return new Generations.ModelText("two");
            yield return new Generations.ModelFinish("stop", default);
        }
    }
}

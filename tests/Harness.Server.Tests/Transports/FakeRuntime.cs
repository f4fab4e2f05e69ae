using System.Collections.Concurrent;
using System.Text;

namespace Harness.Server.Tests.Transports;

/// <summary>A Voiceflow runtime of one's own: gives every turn the same traces, keeps what it was asked, and can be told to hang.</summary>
internal sealed class FakeRuntime : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeRuntime(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public ConcurrentQueue<(string Path, string Authorization, string Version, string Body)> Asked { get; } = new();

    /// <summary>The answer to every turn.</summary>
    public string Traces { get; set; } = """[{"type":"text","payload":{"message":"hello world"}}]""";

    /// <summary>When set, no turn is answered; <see cref="Hanging"/> and <see cref="Aborted"/> tell of the first.</summary>
    public bool Hangs { get; set; }

    public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<FakeRuntime> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var runtime = new FakeRuntime(app);
        app.MapPost("/state/user/{user}/interact", runtime.AnswerAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return runtime;
    }

    /// <summary>Settings for a server that talks to this runtime.</summary>
    public (string, string?)[] Settings(params (string, string?)[] more) =>
        [("Harness:Agents:VoiceflowApiKey", "VF.DM.server"), ("Harness:Agents:VoiceflowRuntimeUrl", Url), .. more];

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<IResult> AnswerAsync(HttpRequest request, CancellationToken aborted)
    {
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        Asked.Enqueue((request.Path, request.Headers.Authorization.ToString(), request.Headers["versionID"].ToString(), await reader.ReadToEndAsync(aborted)));
        if (Hangs)
        {
            await using var registration = aborted.Register(() => Aborted.TrySetResult());
            Hanging.TrySetResult();
            await Task.Delay(Timeout.Infinite, aborted);
        }

        return Results.Content(Traces, "application/json");
    }
}

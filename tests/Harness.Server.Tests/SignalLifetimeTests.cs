using Harness.Executions;

namespace Harness.Server.Tests;

public sealed class SignalLifetimeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2, 130)]
    [InlineData(3, 131)]
    [InlineData(15, 143)]
    public async Task FirstSignalEndsTheEngineBeforeTheHostAndTheSecondTheProcess(int number, int exitCode)
    {
        await using var app = await HarnessApp.StartAsync();
        var host = app.Services.GetRequiredService<IHostApplicationLifetime>();
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var execution = app.Executions.Start(Plans.Until(canceled, release.Task));
        var exits = new List<int>();
        using var signals = ActivatorUtilities.CreateInstance<SignalLifetime>(app.Services, (Action<int>)exits.Add);
        var stopping = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = host.ApplicationStopping.Register(() => stopping.SetResult(execution.Completion.IsCompleted));

        signals.Count(number);
        await canceled.Task.WaitAsync(Stop);
        Assert.False(host.ApplicationStopping.IsCancellationRequested);
        Assert.Empty(exits);
        signals.Count(number);
        Assert.Equal([exitCode], exits);
        release.SetResult();

        Assert.True(await stopping.Task.WaitAsync(Stop));
        await signals.StopAsync(Stop);
        Assert.Equal(ExecutionStatus.Canceled, execution.State.Status);
    }

    [Fact]
    public async Task StopFromInsideWaitsForTheOneThatASignalBegan()
    {
        await using var app = await HarnessApp.StartAsync();
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Executions.Start(Plans.Until(canceled, release.Task));
        using var signals = ActivatorUtilities.CreateInstance<SignalLifetime>(app.Services, (Action<int>)(_ => { }));
        signals.Count(15);
        await canceled.Task.WaitAsync(Stop);

        var stopping = app.StopAsync();
        Assert.False(stopping.IsCompleted);
        release.SetResult();
        await stopping;

        Assert.Single(app.Log.Lines, line => line.Contains("Stopping: executions that run are cancelled; a second signal"));
    }
}

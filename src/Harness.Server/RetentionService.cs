using Harness.Executions;
using Harness.Storage;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>Deletes, now and then, what the store need no longer keep (<see cref="StoreOptions"/>).</summary>
internal sealed partial class RetentionService(
    ExecutionRegistry executions, IOptions<StoreOptions> options, TimeProvider time, ILogger<RetentionService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.MemoryOnly)
        {
            return;
        }

        using var timer = new PeriodicTimer(options.Value.SweepPeriod, time);
        do
        {
            try
            {
                var outcome = await executions.SweepAsync(options.Value.ToRule(time.GetUtcNow()), stoppingToken);
                if (outcome.Deleted.Count + outcome.Trimmed.Count > 0)
                {
                    LogSwept(outcome.Deleted.Count, outcome.Trimmed.Count, outcome.Bytes);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                // Whatever it is: a server does not end because something cannot be deleted.
                LogFailed(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(1, LogLevel.Information, "Retention: {Deleted} executions deleted, {Trimmed} that run lost their oldest events, {Bytes} bytes in all")]
    private partial void LogSwept(int deleted, int trimmed, long bytes);

    [LoggerMessage(2, LogLevel.Warning, "Retention could not do its work and will try again: {Reason}")]
    private partial void LogFailed(string reason);
}

using System.Diagnostics;
using System.Text;

namespace Harness.Server.Tests.Cli;

/// <summary>A process of ours: its lines can be waited for, and it never outlives its test.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>Far more than anything here takes: it only ends a test that would hang.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly CancellationTokenSource _limit;
    private readonly StringBuilder _output = new();
    private readonly List<(Func<string, bool> IsWanted, TaskCompletionSource<string> Line)> _waiting = [];
    private readonly Task _pumps;

    private ChildProcess(Process process, CancellationToken stop)
    {
        _process = process;
        _limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _limit.CancelAfter(TimeLimit);
        _pumps = Task.WhenAll(PumpAsync(process.StandardOutput), PumpAsync(process.StandardError));
    }

    /// <summary>Everything it has said so far, on both streams.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public StreamWriter Input => _process.StandardInput;

    public static ChildProcess Start(
        string file, IEnumerable<string> args, CancellationToken stop, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(file, args)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Repository.Root,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(Process.Start(start)!, stop);
    }

    /// <summary>The first line, said already or still to come, that is wanted.</summary>
    public async Task<string> WaitForLineAsync(Func<string, bool> isWanted)
    {
        var line = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
        {
            if (_output.ToString().Split('\n', StringSplitOptions.TrimEntries).FirstOrDefault(isWanted) is { } said)
            {
                return said;
            }

            _waiting.Add((isWanted, line));
        }

        // A process that ends without the line must not be waited for.
        var ended = _pumps.WaitAsync(_limit.Token);
        return await Task.WhenAny(line.Task, ended) == line.Task || line.Task.IsCompleted
            ? await line.Task
            : throw new InvalidOperationException($"It ended without the line. Output:\n{Output}");
    }

    /// <summary>Waits for its end and gives its exit code.</summary>
    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync(_limit.Token);
        await _pumps.WaitAsync(_limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Sends a signal, such as <c>INT</c>.</summary>
    public async Task SignalAsync(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such signals");
        using var kill = Process.Start("sh", ["-c", $"kill -s {name} {_process.Id}"]);
        await kill.WaitForExitAsync(_limit.Token);
    }

    /// <summary>Ends it as the system does when memory is short: at once, without a chance to do anything.</summary>
    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
        _limit.Dispose();
    }

    private async Task PumpAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync(_limit.Token) is { } line)
        {
            lock (_output)
            {
                _output.Append(line).Append('\n');
                foreach (var waiting in _waiting.Where(waiting => waiting.IsWanted(line)))
                {
                    waiting.Line.TrySetResult(line);
                }
            }
        }
    }
}

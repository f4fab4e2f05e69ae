using System.Diagnostics.CodeAnalysis;

namespace Harness.Executions;

/// <summary>
/// Executions that were read back from the store and are still in use by somebody: several readers of one share its memory. Keeps none
/// alive. Thread-safe.
/// </summary>
internal sealed class LoadedExecutions
{
    private const int FirstPurge = 1_024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, WeakReference<Execution>> _executions = [];

    // Entries whose execution is gone are taken out whenever there are twice as many as were left the last time.
    private int _purgeAt = FirstPurge;

    /// <summary>Finds one that is in use.</summary>
    public bool TryFind(string id, [NotNullWhen(true)] out Execution? execution)
    {
        lock (_gate)
        {
            execution = null;
            return _executions.TryGetValue(id, out var reference) && reference.TryGetTarget(out execution);
        }
    }

    /// <summary>Takes one that was just read; gives back the one in use when somebody was faster.</summary>
    public Execution Add(Execution execution)
    {
        lock (_gate)
        {
            if (TryFind(execution.Id, out var earlier))
            {
                return earlier;
            }

            _executions[execution.Id] = new WeakReference<Execution>(execution);
            if (_executions.Count >= _purgeAt)
            {
                Purge();
            }

            return execution;
        }
    }

    /// <summary>Forgets one that was deleted.</summary>
    public void Remove(string id, long number)
    {
        lock (_gate)
        {
            if (TryFind(id, out var execution) && execution.Number == number)
            {
                _executions.Remove(id);
            }
        }
    }

    private void Purge()
    {
        foreach (var (id, reference) in _executions)
        {
            if (!reference.TryGetTarget(out _))
            {
                _executions.Remove(id);
            }
        }

        _purgeAt = Math.Max(FirstPurge, 2 * _executions.Count);
    }
}

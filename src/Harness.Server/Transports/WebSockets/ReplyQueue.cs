using System.Diagnostics.CodeAnalysis;

namespace Harness.Server.Transports.WebSockets;

/// <summary>Answers on their way to one peer, in order. It costs memory only while there are some: most sockets are idle. Thread-safe.</summary>
internal sealed class ReplyQueue
{
    // When there are as many, or so much, the connection reads no further command: the client feels its own haste. One answer may be larger.
    private const int MaxReplies = 32;
    private const int MaxBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private volatile Queue<byte[]>? _frames;
    private TaskCompletionSource? _room;
    private int _bytes;
    private bool _isCompleted;

    /// <summary>Adds a ready frame. False when there is no room, or nothing is taken any more.</summary>
    /// <param name="frame">The answer.</param>
    /// <param name="isLate">True for one that did not come in its command's turn: those have room in any case, and are counted elsewhere.</param>
    public bool TryAdd(byte[] frame, bool isLate = false)
    {
        lock (_gate)
        {
            if (_isCompleted || (!isLate && _frames?.Count >= MaxReplies))
            {
                return false;
            }

            (_frames ??= new Queue<byte[]>()).Enqueue(frame);
            _bytes += frame.Length;
            return true;
        }
    }

    /// <summary>Takes the oldest one; false when there is none.</summary>
    public bool TryTake([NotNullWhen(true)] out byte[]? frame)
    {
        frame = null;
        if (_frames is null)
        {
            return false;
        }

        lock (_gate)
        {
            frame = _frames.Dequeue();
            _bytes -= frame.Length;
            if (_frames.Count == 0)
            {
                _frames = null;
            }

            if (_bytes < MaxBytes && _frames is not { Count: >= MaxReplies })
            {
                _room?.TrySetResult();
                _room = null;
            }

            return true;
        }
    }

    /// <summary>Waits until an answer would be taken, or none is any more. For one caller at a time.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_isCompleted || (_frames is not { Count: >= MaxReplies } && _bytes < MaxBytes))
            {
                return Task.CompletedTask;
            }

            _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes nothing from now on.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isCompleted = true;
            _room?.TrySetResult();
            _room = null;
        }
    }
}

using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Harness.Benchmarks.Transports;

/// <summary>Which of many sockets have something to read. On Linux the system keeps the list, so that idle sockets cost nothing.</summary>
internal sealed class ReadySockets : IDisposable
{
    private const int MaxReady = 512;
    private const int Add = 1;
    private const int Readable = 1;

    // The system packs the structure on x64 and on nothing else.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private readonly List<(Socket Socket, int Number)> _all = [];
    private readonly int[] _ready = new int[MaxReady];
    private readonly byte[] _events = new byte[MaxReady * (DataOffset + sizeof(long))];
    private readonly int _handle = OperatingSystem.IsLinux() ? CreateEpoll(0) : -1;

    /// <summary>Adds a socket under a number of the caller's choice.</summary>
    public void Watch(Socket socket, int number)
    {
        if (_handle < 0)
        {
            _all.Add((socket, number));
            return;
        }

        var wish = new byte[DataOffset + sizeof(long)];
        wish[0] = Readable;
        BitConverter.TryWriteBytes(wish.AsSpan(DataOffset), number);
        if (ControlEpoll(_handle, Add, socket.Handle.ToInt32(), wish) != 0)
        {
            throw new IOException($"epoll: error {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Waits for something to read and gives the numbers of those that have it, valid until the next call; none when nothing came in time.</summary>
    public ReadOnlySpan<int> Wait(int milliseconds)
    {
        if (_handle < 0)
        {
            return Select(milliseconds);
        }

        var count = WaitEpoll(_handle, _events, MaxReady, milliseconds);
        for (var i = 0; i < count; i++)
        {
            _ready[i] = BitConverter.ToInt32(_events, i * (DataOffset + sizeof(long)) + DataOffset);
        }

        return _ready.AsSpan(0, Math.Max(0, count));
    }

    public void Dispose()
    {
        if (_handle >= 0)
        {
            _ = Close(_handle);
        }
    }

    private int[] Select(int milliseconds)
    {
        var ready = _all.ConvertAll(one => one.Socket);
        Socket.Select(ready, null, null, TimeSpan.FromMilliseconds(milliseconds));
        var found = ready.ToHashSet();
        return [.. _all.Where(one => found.Contains(one.Socket)).Select(one => one.Number)];
    }

    [DllImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static extern int CreateEpoll(int flags);

    [DllImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static extern int ControlEpoll(int handle, int operation, int socket, byte[] wish);

    [DllImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static extern int WaitEpoll(int handle, byte[] events, int maxEvents, int milliseconds);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int handle);
}

using System.Buffers;

namespace Harness.Server.Transports.WebSockets;

/// <summary>A message while it comes in, in pooled memory that doubles as needed; bounded by the limit on messages.</summary>
internal sealed class IncomingMessage
{
    private const int FirstBytes = 4 * 1024;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> AsMemory() => _bytes.AsMemory(0, Length);

    public Memory<byte> Room()
    {
        if (Length == _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBytes, 2 * Length));
            AsMemory().CopyTo(larger);
            Return();
            _bytes = larger;
        }

        return _bytes.AsMemory(Length);
    }

    public void Clear() => Length = 0;

    public void Advance(int count) => Length += count;

    public void Return()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }
}

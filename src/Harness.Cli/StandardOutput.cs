using System.Runtime.InteropServices;

namespace Harness.Cli;

/// <summary>
/// Standard output that says when it cannot be written, and when nobody reads it any more: .NET's own takes no notice of a pipe whose reader
/// is gone, and a command would go on for nobody.
/// </summary>
internal sealed class StandardOutput : Stream
{
    private readonly Stream _stream = Console.OpenStandardOutput();
    private readonly bool _endsWithReader;

    private StandardOutput(bool endsWithReader) => _endsWithReader = endsWithReader;

    /// <summary>For what is no text.</summary>
    public static Stream Open() => new StandardOutput(endsWithReader: true);

    /// <summary>Lets <see cref="Console"/> write here, unless it writes to a terminal.</summary>
    /// <param name="endsWithReader">False for a command that has more to do than to be read.</param>
    public static void Use(bool endsWithReader = true)
    {
        if (Console.IsOutputRedirected)
        {
            Console.SetOut(new StreamWriter(new StandardOutput(endsWithReader), Console.OutputEncoding) { AutoFlush = true });
        }
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="RunException">It cannot be written.</exception>
    /// <exception cref="ReaderGoneException">Nobody reads it any more.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            _stream.Write(buffer);
        }
        catch (IOException exception)
        {
            throw new RunException($"Cannot write to standard output: {exception.Message}", exception);
        }

        if (_endsWithReader && IsReaderGone())
        {
            throw new ReaderGoneException();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is held back.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // Windows cannot be asked, and there the command goes on.
    private static bool IsReaderGone()
    {
        const short Error = 0x8, HungUp = 0x10;
        var output = new PollDescriptor { File = 1 };
        return !OperatingSystem.IsWindows() && Poll(ref output, 1, timeout: 0) > 0 && (output.Result & (Error | HungUp)) != 0;
    }

    [DllImport("libc", EntryPoint = "poll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Poll(ref PollDescriptor descriptors, nuint count, int timeout);

    private struct PollDescriptor
    {
        public int File;
        public short Wanted;
        public short Result;
    }
}

/// <summary>Nobody reads standard output any more, as after <c>| head -1</c>: there is nobody to tell anything.</summary>
internal sealed class ReaderGoneException() : Exception("Nobody reads standard output any more");

using FsCheck;
using FsCheck.Fluent;

namespace Harness.Storage.Tests;

/// <summary>Stretches as they lie in a database, whole and damaged.</summary>
public sealed class StoredStretchTests
{
    [Fact]
    public void AnyBytesComeBack() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<PositiveInt>(), (bytes, times) =>
    {
        byte[] given = [.. Enumerable.Repeat(bytes, times.Get).SelectMany(part => part)];
        return StoredStretch.Read(Stored(given)).Span.SequenceEqual(given);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void MarkAtTheFrontComesBack() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
    {
        byte[] given = [StoredStretch.Mark, .. bytes];
        return StoredStretch.Read(Stored(given)).Span.SequenceEqual(given);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void DamageMakesNeitherAnErrorNorMuchMemory() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<byte>(), (bytes, place, value) =>
    {
        var stored = Stored(Appends.Lines(1, 1, 600 + bytes.Length).Packed.ToArray());
        stored[(int)((uint)place % stored.Length)] ^= value;
        byte[][] damaged = [stored, stored[..(int)((uint)place % stored.Length)], [StoredStretch.Mark, 1, .. bytes]];
        return damaged.All(one => StoredStretch.Read(one).Length <= 22 * one.Length);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void LengthThatCannotBeIsNotBelieved()
    {
        byte[] stored = [StoredStretch.Mark, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0];

        Assert.Equal(stored, StoredStretch.Read(stored).ToArray());
    }

    private static byte[] Stored(byte[] given)
    {
        var stored = new byte[StoredStretch.MaxLength(given.Length)];
        var length = StoredStretch.Write(given, stored);
        return length == 0 ? given : stored[..length];
    }
}

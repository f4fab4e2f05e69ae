using System.Text;
using System.Text.Encodings.Web;
using FsCheck;
using FsCheck.Fluent;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Server.Tests.Transports.SignalR.MessagePack;

public sealed class PackedEventTests
{
    private const string Id = "0f8fad5b-d9cb-469f-a165-70867728950e";

    [Fact]
    public void LineIsPackedAsItsJsonWouldBe() => Prop.ForAll(
        ArbMap.Default.ArbFor<string>().Filter(line => line is not null),
        ArbMap.Default.ArbFor<PositiveInt>(),
        ArbMap.Default.ArbFor<bool>(),
        (line, sequence, isRelaxed) =>
        {
            var encoder = isRelaxed ? JavaScriptEncoder.UnsafeRelaxedJsonEscaping : JavaScriptEncoder.Default;
            AssertSame(Line($"\"{encoder.Encode(line)}\"", sequence.Get), sequence.Get);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Theory]
    [InlineData("\"\"", 1)]
    [InlineData("""  "half \ud83d pair"  """, 9)]
    [InlineData("""  "\",\"seq\":5,\"ts\":\""  """, 10)]
    [InlineData("""  "ends with a slash \\"  """, 127)]
    [InlineData("\"é😀\"", 128)]
    [InlineData("\"plain\"", 65_536)]
    [InlineData("\"plain\"", long.MaxValue)]
    public void LineWithSomethingSpecialIsPackedAsItsJsonWouldBe(string message, long sequence) => AssertSame(Line(message.Trim(), sequence), sequence);

    [Theory]
    [InlineData("""{"type":"event","id":"0f8fad5b","name":"log","data":{"type":"log"},"seq":3,"ts":"2026-11-21T17:00:00.123Z"}""")]
    [InlineData("""{"type":"status","id":"0f8fad5b","message":"running","data":null,"seq":3,"ts":"2026-11-21T17:00:00.123Z"}""")]
    public void OtherEventsArePackedAsTheirJson(string json) => AssertSame(json, 3);

    private static string Line(string message, long sequence) =>
        $"{{\"type\":\"log\",\"id\":\"{Id}\",\"message\":{message},\"seq\":{sequence},\"ts\":\"2026-11-21T17:00:00.123Z\"}}";

    private static void AssertSame(string json, long sequence)
    {
        var utf8 = Encoding.UTF8.GetBytes(json);
        using var expected = new MessagePackWriter(16);
        using var actual = new MessagePackWriter(16);

        JsonTranscoder.ToMessagePack(utf8, expected);
        PackedEvent.Write(utf8, sequence, actual);

        Assert.Equal(Convert.ToHexString(expected.Written), Convert.ToHexString(actual.Written));
    }
}

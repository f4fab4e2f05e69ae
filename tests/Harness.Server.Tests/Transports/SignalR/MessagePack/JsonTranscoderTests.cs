using System.Buffers;
using System.Text;
using System.Text.Json;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Server.Tests.Transports.SignalR.MessagePack;

public sealed class JsonTranscoderTests
{
    [Theory]
    [InlineData("null", "c0")]
    [InlineData("true", "c3")]
    [InlineData("false", "c2")]
    [InlineData("0", "00")]
    [InlineData("127", "7f")]
    [InlineData("128", "cc80")]
    [InlineData("256", "cd0100")]
    [InlineData("65536", "ce00010000")]
    [InlineData("4294967296", "cf0000000100000000")]
    [InlineData("18446744073709551615", "cfffffffffffffffff")]
    [InlineData("-1", "ff")]
    [InlineData("-32", "e0")]
    [InlineData("-33", "d0df")]
    [InlineData("-129", "d1ff7f")]
    [InlineData("-32769", "d2ffff7fff")]
    [InlineData("-2147483649", "d3ffffffff7fffffff")]
    [InlineData("1.5", "cb3ff8000000000000")]
    [InlineData("\"\"", "a0")]
    [InlineData("\"aé😀\"", "a761c3a9f09f9880")]
    [InlineData("[]", "90")]
    [InlineData("{}", "80")]
    [InlineData("[1,[2,{}],\"x\"]", "9301920280a178")]
    [InlineData("{\"a\":{\"b\":[null]},\"c\":1}", "82a16181a16291c0a16301")]
    public void EachValueHasItsShortestFormAndComesBack(string json, string hex)
    {
        var bytes = ToMessagePack(json);

        Assert.Equal(hex, Convert.ToHexStringLower(bytes));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(json), JsonElement.Parse(ToJson(bytes))));
    }

    [Theory]
    [InlineData(15, "9f")]
    [InlineData(16, "dc0010")]
    [InlineData(65_536, "dd00010000")]
    public void SizeOfAnArrayIsInItsHead(int count, string head)
    {
        var json = "[" + string.Join(',', Enumerable.Repeat("1", count)) + "]";

        var bytes = ToMessagePack(json);

        Assert.Equal(head, Convert.ToHexStringLower(bytes[..^count]));
        Assert.Equal(json, ToJson(bytes));
    }

    [Theory]
    [InlineData(31, "bf")]
    [InlineData(32, "d920")]
    [InlineData(256, "da0100")]
    [InlineData(65_536, "db00010000")]
    public void LengthOfATextIsInItsHead(int length, string head)
    {
        var bytes = ToMessagePack($"\"{new string('x', length)}\"");

        Assert.Equal(head, Convert.ToHexStringLower(bytes[..^length]));
    }

    [Theory]
    [InlineData("""  "tab\tquote\"slash\/\u00e9\ud83d\ude00"  """, "tab\tquote\"slash/é😀")]
    [InlineData("""  "half \ud83d pair"  """, "half \ufffd pair")]
    [InlineData("""  "a long line that is escaped \u003c so that its head would be longer than what it says"  """, "a long line that is escaped < so that its head would be longer than what it says")]
    public void EscapesAreResolved(string json, string text)
    {
        var bytes = ToMessagePack(json);

        Assert.Equal(text, new MessagePackReader(bytes).ReadString());
    }

    [Fact]
    public void DeepAndWideDocumentsComeBack()
    {
        var wide = "{" + string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"k{i}\":[{i},\"v\"]")) + "}";
        var deep = string.Concat(Enumerable.Repeat("[", 100)) + wide + string.Concat(Enumerable.Repeat("]", 100));

        Assert.Equal(deep, ToJson(ToMessagePack(deep)));
    }

    [Theory]
    [InlineData("d6ff00000001", "\"1970-01-01T00:00:01Z\"")]
    [InlineData("d7ff0000000400000001", "\"1970-01-01T00:00:01Z\"")]
    [InlineData("c70cff1dcd6500ffffffffffffffff", "\"1969-12-31T23:59:59.5Z\"")]
    [InlineData("c40201ff", "\"Af8=\"")]
    public void WhatJsonHasNoTypeForBecomesText(string hex, string json) => Assert.Equal(json, ToJson(Convert.FromHexString(hex)));

    private static byte[] ToMessagePack(string json)
    {
        using var writer = new MessagePackWriter(16);
        JsonTranscoder.ToMessagePack(Encoding.UTF8.GetBytes(json), writer);
        return writer.Written.ToArray();
    }

    private static string ToJson(byte[] bytes)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            var reader = new MessagePackReader(bytes);
            JsonTranscoder.ToJson(ref reader, writer);
        }

        return Encoding.UTF8.GetString(json.WrittenSpan);
    }
}

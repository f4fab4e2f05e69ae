using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports;

namespace Harness.Server.Tests.Syntax;

public sealed class JsonSyntaxTests
{
    [Theory]
    [InlineData("", "unexpected end of JSON input")]
    [InlineData(" \n", "unexpected end of JSON input")]
    [InlineData("hello", "invalid character 'h' looking for beginning of value")]
    [InlineData("{\"action\":", "unexpected end of JSON input")]
    [InlineData("{}{}", "invalid character '{' after top-level value")]
    [InlineData("12x", "invalid character 'x' after top-level value")]
    [InlineData("01", "invalid character '1' after top-level value")]
    [InlineData("nope", "invalid character 'o' in literal null (expecting 'u')")]
    [InlineData("nul", "invalid character ' ' in literal null (expecting 'l')")]
    [InlineData("trUe", "invalid character 'U' in literal true (expecting 'u')")]
    [InlineData("falsy", "invalid character 'y' in literal false (expecting 'e')")]
    [InlineData("{1:2}", "invalid character '1' looking for beginning of object key string")]
    [InlineData("{\"a\":1,}", "invalid character '}' looking for beginning of object key string")]
    [InlineData("{\"a\" 1}", "invalid character '1' after object key")]
    [InlineData("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair")]
    [InlineData("{\"a\":1]", "invalid character ']' after object key:value pair")]
    [InlineData("[1 2]", "invalid character '2' after array element")]
    [InlineData("[1}", "invalid character '}' after array element")]
    [InlineData("[1,]", "invalid character ']' looking for beginning of value")]
    [InlineData("[,1]", "invalid character ',' looking for beginning of value")]
    [InlineData("\"a\nb\"", @"invalid character '\n' in string literal")]
    [InlineData("\"a\u0001b\"", @"invalid character '\x01' in string literal")]
    [InlineData(@"""\x""", "invalid character 'x' in string escape code")]
    [InlineData("\"\\", "invalid character ' ' in string escape code")]
    [InlineData(@"""\u12G4""", @"invalid character 'G' in \u hexadecimal character escape")]
    [InlineData("\"abc", "unexpected end of JSON input")]
    [InlineData("-", "invalid character ' ' in numeric literal")]
    [InlineData("-x", "invalid character 'x' in numeric literal")]
    [InlineData("1.", "invalid character ' ' after decimal point in numeric literal")]
    [InlineData("[1.]", "invalid character ']' after decimal point in numeric literal")]
    [InlineData("[1e]", "invalid character ']' in exponent of numeric literal")]
    [InlineData("[1e+]", "invalid character ']' in exponent of numeric literal")]
    [InlineData("'a'", @"invalid character '\'' looking for beginning of value")]
    [InlineData("\\", @"invalid character '\\' looking for beginning of value")]
    [InlineData("\u007F", @"invalid character '\x7f' looking for beginning of value")]
    [InlineData("é", "invalid character 'Ã' looking for beginning of value")]
    public void WhatIsWrongIsSaidInTheWordsOfTheSeed(string message, string problem) =>
        Assert.Equal(problem, JsonSyntax.Describe(Encoding.UTF8.GetBytes(message)));

    [Theory]
    [InlineData(0x80, @"'\u0080'")]
    [InlineData(0xA0, @"'\u00a0'")]
    [InlineData(0xAD, @"'\u00ad'")]
    [InlineData(0xEF, "'ï'")]
    [InlineData(0x07, @"'\a'")]
    [InlineData(0x0B, @"'\v'")]
    [InlineData(0x00, @"'\x00'")]
    public void ByteIsShownAsTheSeedsServerShowsIt(byte value, string shown) =>
        Assert.Equal($"invalid character {shown} looking for beginning of value", JsonSyntax.Describe([value]));

    [Theory]
    [InlineData("", "EOF")]
    [InlineData("  \r\n", "EOF")]
    [InlineData("{\"suite\":", "unexpected EOF")]
    [InlineData("nul", "unexpected EOF")]
    [InlineData("1.", "unexpected EOF")]
    [InlineData("nope", "invalid character 'o' in literal null (expecting 'u')")]
    [InlineData("{}}", null)]
    [InlineData("{} garbage", null)]
    [InlineData("12x", null)]
    public void StreamIsReadUpToTheEndOfItsFirstValue(string stream, string? problem) =>
        Assert.Equal(problem, JsonSyntax.DescribeFirst(Encoding.UTF8.GetBytes(stream), out _));

    [Fact]
    public void NestingHasALimit()
    {
        var deepest = string.Concat(Enumerable.Repeat("[", JsonSyntax.MaxDepth)) + string.Concat(Enumerable.Repeat("]", JsonSyntax.MaxDepth));
        var tooDeep = new string('[', 1_000_000);

        Assert.Null(JsonSyntax.Describe(Encoding.UTF8.GetBytes(deepest)));
        Assert.Equal("invalid character '[' exceeded max depth of 128", JsonSyntax.Describe(Encoding.UTF8.GetBytes(tooDeep)));
        JsonElement.Parse(deepest, new JsonDocumentOptions { MaxDepth = JsonSyntax.MaxDepth });
    }

    [Fact]
    public void ValidTextIsNotCopiedToBeRepaired()
    {
        ReadOnlyMemory<byte> json = "{\"ü\":\"\\u00e9\\n\"}"u8.ToArray();

        Assert.True(JsonRepair.Apply(json).Equals(json));
    }

    // 200,000 mutations of what clients really send, the same ones in every run.
    [Fact]
    public void VerdictIsThatOfSystemTextJsonAndNothingIsThrown()
    {
        var random = new Random(20261121);
        byte[][] seeds =
        [
            [.. """{"suite":{"name":"näme \u00e9\n\"","tests":[{"id":"t1","test":{"x":[1,-2.5e+10,true,false,null]}}]}}"""u8],
            [.. """{"action":"execute","id":"😀","data":{"a":{},"b":[],"c":[[],{}],"d":0.1E-2}}"""u8],
            [.. """  [ "a\\b\/\t", { "k" : 10 , "l" : [ 0 ] } , "\ud83d\ude00\ud800" ]  """u8],
        ];
        var alphabet = "{}[]\",:\\u0123456789abcdefnrtxE+-. \t\n\u0001'"u8.ToArray();
        var options = new JsonDocumentOptions { MaxDepth = JsonSyntax.MaxDepth };

        for (var round = 0; round < 200_000; round++)
        {
            var message = Mutate(seeds[round % seeds.Length], alphabet, random);

            var problem = JsonSyntax.Describe(message);
            var first = JsonSyntax.DescribeFirst(message, out var length);

            Assert.True(IsValid(message, options) == (problem is null), Encoding.Latin1.GetString(message) + " → " + problem);
            Assert.True(first is not null || IsValid(message.AsMemory(0, length), options), Encoding.Latin1.GetString(message));
            if (problem is null)
            {
                ReadAll(JsonElement.Parse(JsonRepair.Apply(message).Span, options));
            }
        }
    }

    private static byte[] Mutate(byte[] seed, byte[] alphabet, Random random)
    {
        var message = seed.ToList();
        for (var change = random.Next(4); change >= 0 && message.Count > 0; change--)
        {
            var place = random.Next(message.Count);
            var value = random.Next(8) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            switch (random.Next(4))
            {
                case 0:
                    message.RemoveAt(place);
                    break;
                case 1:
                    message.Insert(place, value);
                    break;
                case 2:
                    message[place] = value;
                    break;
                default:
                    message.RemoveRange(place, random.Next(10) == 0 ? message.Count - place : 0);
                    break;
            }
        }

        return [.. message];
    }

    private static bool IsValid(ReadOnlyMemory<byte> message, JsonDocumentOptions options)
    {
        try
        {
            using var document = JsonDocument.Parse(message, options);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void ReadAll(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Assert.NotNull(value.GetString());
                break;
            case JsonValueKind.Array:
                value.EnumerateArray().ToList().ForEach(ReadAll);
                break;
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    Assert.NotNull(property.Name);
                    ReadAll(property.Value);
                }

                break;
        }
    }
}

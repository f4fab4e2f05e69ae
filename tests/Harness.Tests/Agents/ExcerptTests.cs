using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class ExcerptTests
{
    [Theory]
    [InlineData("""{"message":"a"}""", "a")]
    [InlineData("""{"error":{"message":"a"}}""", "a")]
    [InlineData("""{"error":"a","status":"b"}""", "a")]
    [InlineData("""{"status":"b"}""", """{"status":"b"}""")]
    [InlineData("""{"message":"\ud800"}""", """{"message":"\ud800"}""")]
    [InlineData("\"a\"", "a")]
    [InlineData(" a\r\n\t b \u0007 ", "a b")]
    [InlineData("", "")]
    public void AnErrorsTextIsOneLine(string body, string text)
    {
        Assert.Equal(text, Excerpt.Of(System.Text.Encoding.UTF8.GetBytes(body), []));
    }

    [Fact]
    public void ALongTextIsCutAndSaysSo()
    {
        Assert.Equal(new string('a', Excerpt.MaxLength) + "…", Excerpt.Of(new string('a', 5_000), []));
    }

    [Fact]
    public void SecretsAreHiddenBeforeTheTextIsCut()
    {
        var text = new string('a', Excerpt.MaxLength - 2) + "secret";

        Assert.DoesNotContain("se", Excerpt.Of(text, ["secret"]), StringComparison.Ordinal);
    }

    [Fact]
    public void ASecretIsHiddenInItsJsonFormToo()
    {
        Assert.Equal("{\"a\":\"***\"}", Excerpt.Of("{\"a\":\"s\\u0022ecret\"}"u8.ToArray(), ["s\"ecret"]));
    }

    [Fact]
    public void ShortSecretsDoNotGrowTheText()
    {
        var secrets = "abcdefghijklmnopqrstuvwxyz".Select(letter => letter.ToString()).Append("").Append("*");

        Assert.Equal(301, Excerpt.Of(new string('a', 100), secrets).Length);
    }
}

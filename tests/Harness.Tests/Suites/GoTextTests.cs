using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class GoTextTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(3, "3")]
    [InlineData(-1.5, "-1.5")]
    [InlineData(123456, "123456")]
    [InlineData(999999, "999999")]
    [InlineData(1000000, "1e+06")]
    [InlineData(12345678, "1.2345678e+07")]
    [InlineData(123456789012, "1.23456789012e+11")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(1e23, "1e+23")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    public void ANumberHasTheReferencesText(double number, string text) => Assert.Equal(text, GoText.Number(number));

    [Theory]
    [InlineData(1e23, "100000000000000000000000")]
    [InlineData(12345678.25, "12345678.25")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(0.00001, "0.00001")]
    public void ANumberHasAPlainTextWithoutAnExponent(double number, string text) => Assert.Equal(text, GoText.Plain(number));

    [Fact]
    public void BothTextsReadBackAsTheSameNumber()
    {
        var numbers = ArbMap.Default.GeneratorFor<NormalFloat>().Select(number => number.Get);

        Check.QuickThrowOnFailure(Prop.ForAll(numbers.ToArbitrary(), number =>
            double.Parse(GoText.Number(number), CultureInfo.InvariantCulture) == number
            && double.Parse(GoText.Plain(number), CultureInfo.InvariantCulture) == number
            && !GoText.Plain(number).Contains('e', StringComparison.Ordinal)));
    }

    [Fact]
    public void AQuotedTextReadsBackAndIsSafeInHtml()
    {
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
        {
            var quoted = GoText.Quote(text.Get);
            return JsonSerializer.Deserialize<string>(quoted) == text.Get && quoted.AsSpan().IndexOfAny('<', '>', '&') < 0;
        }));
    }
}

using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class Re2Tests
{
    [Theory]
    [InlineData("lo", "hello", true)]
    [InlineData("^lo", "hello", false)]
    [InlineData("HELLO", "hello", false)]
    [InlineData("(?i)HELLO", "hello", true)]
    [InlineData("h(?i:EL)lo", "hello", true)]
    [InlineData("h(?i:EL)LO", "hello", false)]
    [InlineData("(?i)k", "\u212A", true)]
    [InlineData("(?i)[^k]", "K", false)]
    [InlineData("(?i)straße", "STRAßE", true)]
    [InlineData("(?P<year>[0-9]{4})-(?<month>[0-9]{2})", "in 2026-11", true)]
    [InlineData("a.c", "a\nc", false)]
    [InlineData("(?s)a.c", "a\nc", true)]
    [InlineData("(?s:a.)c", "a\nc", true)]
    [InlineData("a[^b]c", "a\nc", true)]
    [InlineData("end$", "end\n", false)]
    [InlineData("end$", "end", true)]
    [InlineData("(?m)end$", "end\nmore", true)]
    [InlineData("^more", "end\nmore", false)]
    [InlineData("(?m)^more", "end\nmore", true)]
    [InlineData("\\Aend\\z", "end", true)]
    [InlineData("\\Aend\\z", "end\n", false)]
    [InlineData("^\\d+$", "٣", false)]
    [InlineData("^\\w+$", "é", false)]
    [InlineData("^\\W$", "é", true)]
    [InlineData("\\s", "\v", false)]
    [InlineData("\\s", "\u00A0", false)]
    [InlineData("[[:space:]]", "\v", true)]
    [InlineData("\\bcaf\\b", "café", true)]
    [InlineData("é\\b", "café", false)]
    [InlineData("\\Bab", "cab", true)]
    [InlineData("\\bab", "cab", false)]
    [InlineData("^\\pL+$", "Grüße", true)]
    [InlineData("^\\p{Lu}\\P{Lu}", "Aé", true)]
    [InlineData("^\\p{^L}$", "1", true)]
    [InlineData("^[\\pL\\d-]+$", "ä-1", true)]
    [InlineData("^[[:alpha:]]+$", "abc", true)]
    [InlineData("^[[:^alpha:]]+$", "123", true)]
    [InlineData("^[^[:alpha:]_]$", "_", false)]
    [InlineData("^.$", "😀", true)]
    [InlineData("^..$", "😀", false)]
    [InlineData("^😀{2}$", "😀😀", true)]
    [InlineData("^[😀-😂]$", "😁", true)]
    [InlineData("^[^a]$", "😀", true)]
    [InlineData("^\\x{1F600}$", "😀", true)]
    [InlineData("\\x41\\t\\x{42}\\103", "A\tBC", true)]
    [InlineData("\\Qa.b*\\E+", "a.b**", true)]
    [InlineData("\\Qa.b", "axb", false)]
    [InlineData("^[]a]+$", "]a", true)]
    [InlineData("^[a-]+$", "a-", true)]
    [InlineData("^[a\\]]+$", "a]", true)]
    [InlineData("x{,2}", "x{,2}", true)]
    [InlineData("{1", "{1", true)]
    [InlineData("a{2,}b", "aab", true)]
    [InlineData("^a{2,3}?$", "aaaa", false)]
    [InlineData("(?U)a+?b", "aab", true)]
    [InlineData("a(?i)b|C", "c", true)]
    [InlineData("^(a|b)*c??$", "abba", true)]
    [InlineData("^*a", "a", true)]
    [InlineData("()*", "", true)]
    [InlineData("a\\_\\-\\/", "a_-/", true)]
    [InlineData("/hello/", "hello", false)]
    [InlineData("#x y", "#x y", true)]
    public void AnExpressionMeansWhatItMeansInRe2(string pattern, string text, bool matches)
    {
        Assert.True(Re2.TryCompile(pattern, out var compiled, out var error), error);

        Assert.Equal(matches, compiled.IsMatch(text));
    }

    [Theory]
    [InlineData("(unclosed", "missing closing ): `(unclosed`")]
    [InlineData("a)b", "unexpected ): `a)b`")]
    [InlineData("x[abc", "missing closing ]: `[abc`")]
    [InlineData("[]", "missing closing ]: `[]`")]
    [InlineData("*a", "missing argument to repetition operator: `*`")]
    [InlineData("a|+?", "missing argument to repetition operator: `+?`")]
    [InlineData("a**", "invalid nested repetition operator: `**`")]
    [InlineData("a{2}{3}", "invalid nested repetition operator: `{2}{3}`")]
    [InlineData("a{1001}", "invalid repeat count: `{1001}`")]
    [InlineData("a{3,2}", "invalid repeat count: `{3,2}`")]
    [InlineData("(a{100}){11}", "invalid repeat count: `{11}`")]
    [InlineData("a{99999999999}", "invalid repeat count: `{99999999999}`")]
    [InlineData("(?=a)b", "invalid or unsupported Perl syntax: `(?=`")]
    [InlineData("(?!a)b", "invalid or unsupported Perl syntax: `(?!`")]
    [InlineData("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`")]
    [InlineData("(?<=a)b", "invalid named capture: `(?<=a)b`")]
    [InlineData("(?P<n!>a)", "invalid named capture: `(?P<n!>`")]
    [InlineData("(?P<n>a)(?P<n>b)", "invalid named capture: `n`")]
    [InlineData("a\\", "trailing backslash at end of expression: ``")]
    [InlineData("\\1", "invalid escape sequence: `\\1`")]
    [InlineData("\\C", "invalid escape sequence: `\\C`")]
    [InlineData("\\Z", "invalid escape sequence: `\\Z`")]
    [InlineData("[z-a]", "invalid character class range: `z-a`")]
    [InlineData("[[:nope:]]", "invalid character class range: `[:nope:]`")]
    [InlineData("\\p{Nope}", "invalid character class range: `\\p{Nope}`")]
    [InlineData("\\xZZ", "invalid escape sequence: `\\xZZ`")]
    public void WhatIsNoRe2IsRefusedInItsWords(string pattern, string problem)
    {
        Assert.False(Re2.TryCompile(pattern, out _, out var error));

        Assert.Equal("error parsing regexp: " + problem, error);
    }

    [Fact]
    public void DeepNestingAndLargeExpressionsAreRefused()
    {
        var deep = new StringBuilder().Append('(', 5_000).Append(')', 5_000).ToString();
        var large = string.Concat(Enumerable.Repeat("(\\pL{500})", 40));

        Assert.False(Re2.TryCompile(deep, out _, out var deepError));
        Assert.False(Re2.TryCompile(large, out _, out var largeError));

        Assert.StartsWith("error parsing regexp: expression nests too deeply", deepError, StringComparison.Ordinal);
        Assert.StartsWith("error parsing regexp: expression too large", largeError, StringComparison.Ordinal);
    }

    [Fact]
    public void ABacktrackersNightmareTakesLinearTime()
    {
        Assert.True(Re2.TryCompile("^(a+)+$", out var nightmare, out _));
        var started = Stopwatch.GetTimestamp();

        var matches = nightmare.IsMatch(new string('a', 100_000) + "!");

        Assert.False(matches);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void OverAsciiItAgreesWithDotNet()
    {
        var atoms = Gen.Elements("a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", "^", "$", "\\b", "\\w", "(?:b|)", "\\x61");
        var parts = atoms.SelectMany(_ => Gen.Elements("", "*", "+", "?", "{2}", "{0,2}"), (atom, repeat) => atom + repeat);
        var patterns = parts.ListOf().Select(list => string.Concat(list.Take(6)));
        var texts = Gen.Elements('a', 'b', ' ').ListOf().Select(letters => string.Concat(letters.Take(8)));

        Check.QuickThrowOnFailure(Prop.ForAll(patterns.ToArbitrary(), texts.ToArbitrary(), (pattern, text) =>
            Re2.TryCompile(pattern, out var compiled, out _)
            && compiled.IsMatch(text) == Regex.IsMatch(text, pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)));
    }
}

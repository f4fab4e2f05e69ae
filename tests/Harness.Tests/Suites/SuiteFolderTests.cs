using System.Text;
using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class SuiteFolderTests : IDisposable
{
    private const string Test =
        """
        name: T
        interactions:
          - id: i1
            user: { type: text, text: 42 }
            variables: { n: 3, half: .5, hex: 0x1F, yes: true, none: ~, quoted: "3", list: [1, two], Big_Name: x }
            agent:
              validate:
                - { type: equals, value: 3 }
                - { type: similarity, values: [1.50, true], similarityConfig: { provider: openai, similarityThreshold: 0.7, top_p: 1 } }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("suites-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void AFolderIsReadFromItsSuiteFile()
    {
        Write("suite.yaml", "name: S\ndescription: D\nenvironmentName: dev\nnewSessionPerTest: true\nfailFast: false\nparallel: 2\ntests:\n  - id: t1\n    file: ./tests/one.yaml\n");
        Write("tests/one.yaml", Test);

        var suite = SuiteReader.ReadPath(_folder.FullName);

        Assert.Equal(("S", "D", "dev", true, false, 2), (suite.Name, suite.Description, suite.EnvironmentName, suite.NewSessionPerTest, suite.FailFast, suite.Parallel));
        Assert.Equal("dev", suite.Agent.Environment);
        var entry = Assert.Single(suite.Tests);
        Assert.Equal(("t1", "T"), (entry.Id, entry.Test.Name));
        var interaction = Assert.Single(entry.Test.Interactions);
        Assert.Equal("42", interaction.User.Text);
        Assert.Equal("3", interaction.Validations[0].Value);
        Assert.Equal(["1.50", "true"], interaction.Validations[1].Values);
        Assert.Equal((0.7, 1.0), (interaction.Validations[1].Similarity!.Threshold, interaction.Validations[1].Similarity!.TopP));
        Assert.Equal(
            ["n=3", "half=0.5", "hex=31", "yes=true", "none=null", "quoted=\"3\"", "list=[1,\"two\"]", "Big_Name=\"x\""],
            interaction.Variables!.Select(variable => $"{variable.Key}={variable.Value.GetRawText()}"));
    }

    [Fact]
    public void BothSpellingsOfNamesAreRead()
    {
        Write("suite.yaml", "environment_name: dev\nnew_session_per_test: true\nfail_fast: false\nvoiceflow_subdomain: staging\ntests: []\n");

        var suite = SuiteReader.ReadPath(_folder.FullName);

        Assert.Equal(("dev", true, false, "staging"), (suite.EnvironmentName, suite.NewSessionPerTest, suite.FailFast, suite.Agent.Subdomain));
    }

    [Fact]
    public void ASingleTestIsASuiteOfItsOwn()
    {
        var suite = SuiteReader.ReadPath(Write("greeting.yml", Test));

        Assert.Equal("T", suite.Name);
        Assert.Equal("greeting", Assert.Single(suite.Tests).Id);
    }

    [Theory]
    [InlineData("""{"api_key":"k","suite":{"name":"S","tests":[{"id":"t","test":{"interactions":[]}}]}}""")]
    [InlineData("""{"api_key":"k","name":"S","tests":[{"id":"t","test":{"interactions":[]}}]}""")]
    public void AJsonFileIsARequestOrABareSuite(string json)
    {
        var suite = SuiteReader.ReadPath(Write("request.json", "\uFEFF" + json));

        Assert.Equal(("S", "k", "t"), (suite.Name, suite.Agent.ApiKey, suite.Tests[0].Id));
    }

    [Fact]
    public void AliasesAndMergeKeysAreUnderstood()
    {
        Write("suite.yaml", "name: S\ntests:\n  - &first { id: a, test: { name: T, interactions: [] } }\n  - { <<: *first, id: b }\n  - *first\n");

        var suite = SuiteReader.ReadPath(_folder.FullName);

        Assert.Equal(["a T", "b T", "a T"], suite.Tests.Select(entry => $"{entry.Id} {entry.Test.Name}"));
    }

    [Fact]
    public void AListOfMapsIsMergedAndTheEarlierWins()
    {
        Write("suite.yaml", """
            name: S
            tests:
              - &first { id: a, test: { name: T, interactions: [] } }
              - &second { id: b, test: { name: U, interactions: [] } }
              - { <<: [*first, *second] }
              - { <<: [*second, *first], id: c }
            """);

        var suite = SuiteReader.ReadPath(_folder.FullName);

        Assert.Equal(["a T", "b U", "a T", "c U"], suite.Tests.Select(entry => $"{entry.Id} {entry.Test.Name}"));
    }

    [Theory]
    [InlineData("tests:\n  - id: t1\n    file: one.txt\n", "suite.yaml, line 3: tests[0].file: 'one.txt' must end in .yaml")]
    [InlineData("tests:\n  - id: t1\n    file: ../none.yaml\n", "suite.yaml, line 3: tests[0].file: there is no file {folder}/../none.yaml; 'file' is read from the suite's folder")]
    [InlineData("tests:\n  - id: t1\n    tset: {}\n", "suite.yaml, line 2: tests[0]: neither \"file\" nor \"test\" is there; name the test's file, or write the test below \"test\"")]
    [InlineData("tests:\n  - id: t1\n    test: { name: T, interaction: [] }\n", "suite.yaml, line 3: tests[0].test: this is no test: it has no \"interactions\" and no \"agent\"")]
    [InlineData("name: [a]\ntests: []\n", "suite.yaml, line 1: name: expected a string, found a list")]
    [InlineData("name: S\ntests:\n  - id: t1\n    test:\n      interactions:\n        - user: hi\n", "suite.yaml, line 6: tests[0].test.interactions[0].user: expected an object, found a string")]
    [InlineData("openAIConfig: { temperature: 1e999 }\ntests: []\n", "suite.yaml, line 1: openAIConfig.temperature: expected a number that is not so large, found 1e999")]
    [InlineData("name: S\n", "suite.yaml, line 1: neither a suite (it has no \"tests\") nor a test (it has no \"interactions\" and no \"agent\" with a \"goal\")")]
    [InlineData("tests: []\nname: S\ntests: []\n", "suite.yaml, line 3: 'tests' is here a second time; only one of the two could count")]
    [InlineData("tests: *none\n", "suite.yaml, line 1: the alias *none names no anchor that ends before it")]
    [InlineData("a: &a [*a]\n", "suite.yaml, line 1: the alias *a names no anchor that ends before it")]
    [InlineData("tests: []\n---\ntests: []\n", "suite.yaml, line 2: a second document begins here; keep one document in one file")]
    public void AMistakeIsSaidWithFileAndLine(string yaml, string message)
    {
        Write("suite.yaml", yaml);

        var error = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath(_folder.FullName));

        Assert.Equal($"{_folder.FullName}/{message.Replace("{folder}", _folder.FullName, StringComparison.Ordinal)}", error.Message);
    }

    [Fact]
    public void AMistakeInATestFileNamesThatFile()
    {
        Write("suite.yaml", "tests:\n  - file: one.yaml\n");
        Write("one.yaml", "interactions:\n  - id: a\n  - id: [b]\n");

        var error = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath(_folder.FullName));

        Assert.EndsWith("/one.yaml, line 3: interactions[1].id: expected a string, found a list", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("interaction:\n  - id: a\n", 1)]
    [InlineData("# to be written\n", 1)]
    [InlineData("\ntests: [{ id: t1, file: one.yaml }]\n", 2)]
    public void AFileThatIsNoTestIsRefused(string yaml, int line)
    {
        Write("suite.yaml", "tests:\n  - file: one.yaml\n");
        Write("one.yaml", yaml);

        var error = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath(_folder.FullName));

        Assert.EndsWith($"/one.yaml, line {line}: this is no test: it has no \"interactions\" and no \"agent\"", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("suite.yaml")]
    [InlineData("suite.json")]
    public void AFileInAnotherEncodingIsSaid(string file)
    {
        var path = Path.Combine(_folder.FullName, file);
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes("""{"name":"café","tests":[]}"""));

        var error = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath(path));

        Assert.Equal($"{path}: this is not UTF-8; save it as UTF-8", error.Message);
    }

    [Theory]
    [InlineData("suite.yaml", "tests: [\n", "suite.yaml, line")]
    [InlineData("suite.json", "{\n\"suite\":\n", "suite.json, line 3: this is not JSON")]
    public void WhatIsNoYamlOrJsonIsSaidWithItsLine(string file, string text, string start)
    {
        Write(file, text);

        var error = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath(_folder.FullName));

        Assert.StartsWith($"{_folder.FullName}/{start}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BombsAreRefused()
    {
        var aliases = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var level = 1; level < 12; level++)
        {
            aliases.Append($"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n");
        }

        var merges = "a: &a {" + string.Join(", ", Enumerable.Range(0, 1_000).Select(number => $"k{number}: 1")) + "}\nb: {"
            + string.Join(", ", Enumerable.Repeat("<<: *a", 1_000)) + "}\n";

        Assert.Contains("split the suite", ReadError(aliases.ToString()), StringComparison.Ordinal);
        Assert.Contains("split the suite", ReadError(merges), StringComparison.Ordinal);
        Assert.Contains("nested deeper than 64 levels", ReadError("tests: " + new string('[', 100_000)), StringComparison.Ordinal);
        Assert.Contains("larger than 4194304 bytes", ReadError("# " + new string('x', 4 * 1024 * 1024)), StringComparison.Ordinal);
    }

    [Fact]
    public void APathThatIsNothingIsSaid()
    {
        var empty = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath(_folder.FullName));
        var missing = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath("nowhere.yaml"));
        var other = Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath("suite.toml"));

        Assert.EndsWith("this folder has no suite.yaml; add one, or name the file to run", empty.Message, StringComparison.Ordinal);
        Assert.Equal("nowhere.yaml: there is no such file or folder", missing.Message);
        Assert.Equal("suite.toml: neither a folder with a suite.yaml nor a file that ends in .yaml, .yml or .json", other.Message);
    }

    private string ReadError(string yaml)
    {
        Write("suite.yaml", yaml);
        return Assert.Throws<SuiteFormatException>(() => SuiteReader.ReadPath(_folder.FullName)).Message;
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}

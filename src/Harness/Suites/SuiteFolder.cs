using System.Text;
using System.Text.Json;

namespace Harness.Suites;

/// <summary>Reads suites from files, which are named in messages as their user wrote them.</summary>
internal static class SuiteFolder
{
    /// <summary>Largest file read, in bytes; the same as the largest message a server takes.</summary>
    private const int MaxFileBytes = 4 * 1024 * 1024;

    private static readonly string[] SuiteFiles = ["suite.yaml", "suite.yml", "suite.json"];

    public static Suite Read(string path)
    {
        if (!Directory.Exists(path))
        {
            return ReadFile(path);
        }

        var suite = SuiteFiles.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists);
        return suite is null
            ? throw new SuiteFormatException($"{path}: this folder has no suite.yaml; add one, or name the file to run")
            : ReadFile(suite);
    }

    private static Suite ReadFile(string file)
    {
        var root = Open(file);
        if (root["suite"].Exists || root["tests"].Exists)
        {
            return SuiteParser.ParseRequest(root, field => ReadTest(file, field));
        }

        if (!root["interactions"].Exists && !(root["agent"].IsMap && root["agent"]["goal"].Exists))
        {
            throw root.Problem("neither a suite (it has no \"tests\") nor a test (it has no \"interactions\" and no \"agent\" with a \"goal\")");
        }

        var test = SuiteParser.ParseTest(root);
        return new Suite
        {
            Name = test.Name,
            Description = test.Description,
            Tests = [new SuiteEntry(Path.GetFileNameWithoutExtension(file), test)],
        };
    }

    private static SuiteTest ReadTest(string suiteFile, SourceField field)
    {
        var name = field.Text!;
        if (!IsYaml(name))
        {
            throw field.Problem($"'{name}' must end in .yaml");
        }

        var file = Path.Combine(Path.GetDirectoryName(suiteFile) ?? "", name);
        return File.Exists(file)
            ? SuiteParser.ParseWrittenTest(Open(file))
            : throw field.Problem($"there is no file {file}; 'file' is read from the suite's folder");
    }

    private static SourceField Open(string file)
    {
        var isYaml = IsYaml(file);
        if (!isYaml && !file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            throw new SuiteFormatException($"{file}: neither a folder with a suite.yaml nor a file that ends in .yaml, .yml or .json");
        }

        var text = ReadText(file);
        return SourceField.Root(isYaml ? YamlSource.Parse(text, file) : ParseJson(text, file), file);
    }

    private static string ReadText(string file)
    {
        try
        {
            var text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(ReadBytes(file));
            return text.TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException error)
        {
            throw new SuiteFormatException($"{file}: this is not UTF-8; save it as UTF-8", error);
        }
    }

    private static SourceNode ParseJson(string json, string file)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return SourceNode.Of(document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw new SuiteFormatException($"{file}, line {(error.LineNumber ?? 0) + 1}: this is not JSON: {error.Message}", error);
        }
    }

    private static byte[] ReadBytes(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            if (stream.Length > MaxFileBytes)
            {
                throw new SuiteFormatException($"{file}: larger than {MaxFileBytes} bytes; split the suite");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SuiteFormatException($"{file}: {(File.Exists(file) ? "cannot be read" : "there is no such file or folder")}", error);
        }
    }

    private static bool IsYaml(string file) =>
        file.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);
}

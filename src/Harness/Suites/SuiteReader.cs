using System.Text.Json;

namespace Harness.Suites;

/// <summary>Reads both suite formats into one model: the HTTP JSON and the folder of YAML files.</summary>
public static class SuiteReader
{
    /// <summary>
    /// Reads a test execution request: <c>{"api_key", "suite": {…}, …}</c>. Property names match whatever their case, the last of several
    /// wins, unknown ones are ignored, and nothing is required: no data at all is an empty suite.
    /// </summary>
    /// <exception cref="SuiteFormatException">A value has the wrong type; the message says where.</exception>
    public static Suite Read(JsonElement request) =>
        SuiteParser.ParseRequest(SourceField.Root(SourceNode.Of(request), file: null), readFile: null);

    /// <summary>Reads a folder with <c>suite.yaml</c>, a suite or test YAML file, or a JSON file (a request or a bare suite).</summary>
    /// <exception cref="SuiteFormatException">It cannot be read as a suite; the message names file, line and what to change.</exception>
    public static Suite ReadPath(string path) => SuiteFolder.Read(path);
}

/// <summary>A suite cannot be read. The message says where and what to change.</summary>
public sealed class SuiteFormatException : Exception
{
    /// <summary>The message is for the suite's author.</summary>
    public SuiteFormatException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

using System.Text.Json;

namespace Harness.Suites;

/// <summary>Reads both suite formats into one model: the HTTP JSON and the folder of YAML files.</summary>
public static class SuiteReader
{
    /// <summary>Reads a test execution request: <c>{"api_key", "suite": {…}, …}</c>. Property names match whatever their case.</summary>
    /// <exception cref="SuiteFormatException">A value has the wrong type; the message says where.</exception>
    public static Suite Read(JsonElement request) => throw new SuiteFormatException($"not yet {request.ValueKind}");

    /// <summary>Reads a folder with <c>suite.yaml</c>, a suite or test YAML file, or a JSON file (a request or a bare suite).</summary>
    /// <exception cref="SuiteFormatException">It cannot be read as a suite; the message names file, line and what to change.</exception>
    public static Suite ReadPath(string path) => throw new SuiteFormatException($"not yet {path}");
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

using System.Text;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Cli;

/// <summary>A flag whose value is JSON: as it stands, or <c>@FILE</c> with it in the file.</summary>
internal static class JsonArgument
{
    /// <param name="flag">The flag's name, for errors.</param>
    /// <param name="value">What was written; null is read as nothing.</param>
    /// <returns>The value; undefined: nothing was written.</returns>
    /// <exception cref="RunException">It is no JSON, it is nested too deep, or the file cannot be read.</exception>
    public static JsonElement Read(string flag, string? value)
    {
        if (value is null)
        {
            return default;
        }

        if (value.StartsWith('@') && string.IsNullOrWhiteSpace(value[1..]))
        {
            throw new RunException($"{flag} @ names no file: write @FILE, or the JSON itself");
        }

        try
        {
            var text = value.StartsWith('@') ? File.ReadAllText(value[1..]) : value;
            var json = JsonElement.Parse(JsonRepair.Apply(Encoding.UTF8.GetBytes(text)).Span, JsonDepth.Kept);
            return JsonDepth.Refuse(json) is { } problem ? throw new RunException($"{flag} {problem}") : json;
        }
        catch (JsonException exception)
        {
            throw new RunException($"{flag} is no JSON: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunException($"{flag} names a file that cannot be read: {exception.Message}", exception);
        }
    }
}

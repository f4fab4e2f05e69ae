using System.Text;
using System.Text.Json;

namespace Harness.Agents;

/// <summary>Makes what a peer said fit for an error message: short, one line, and without the secrets of the call.</summary>
internal static class Excerpt
{
    /// <summary>Characters of a peer's text that an error repeats.</summary>
    public const int MaxLength = 300;

    // More is never shown, and so that a secret is not cut in half before it is found, this is much more than is shown.
    private const int MaxBytesRead = 64 * 1024;
    private const int MaxDepth = 4;

    // Of characters that no secret is made of: redacting the next secret must not find this text and grow it.
    private const string Hidden = "***";

    private static readonly string[] Texts = ["message", "error", "detail", "data", "title"];

    /// <summary>The error text of a JSON body where it has one, else the start of the body; empty for an empty body.</summary>
    public static string Of(byte[] body, IEnumerable<string> secrets)
    {
        var text = ErrorText(body) ?? Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, MaxBytesRead)));
        return Of(text, secrets);
    }

    /// <summary>The start of a text.</summary>
    public static string Of(string text, IEnumerable<string> secrets)
    {
        text = secrets.Where(secret => secret.Length > 0).Distinct().Aggregate(text, Redact);

        var line = new StringBuilder();
        foreach (var character in text)
        {
            if (!char.IsControl(character) && character != ' ')
            {
                line.Append(character);
            }
            else if (line.Length > 0 && line[^1] != ' ')
            {
                line.Append(' ');
            }

            if (line.Length > MaxLength)
            {
                return line.ToString(0, MaxLength) + "…";
            }
        }

        return line.ToString().TrimEnd();
    }

    // A secret with quotes or slashes looks different inside JSON text.
    private static string Redact(string text, string secret)
    {
        var escaped = JsonEncodedText.Encode(secret).ToString();
        return text.Replace(escaped, Hidden, StringComparison.Ordinal).Replace(secret, Hidden, StringComparison.Ordinal);
    }

    private static string? ErrorText(byte[] body)
    {
        try
        {
            return ErrorText(JsonElement.Parse(body), MaxDepth);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? ErrorText(JsonElement value, int depth)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return value.GetString() is { Length: > 0 } text ? text : null;
        }

        if (value.ValueKind != JsonValueKind.Object || depth == 0)
        {
            return null;
        }

        return Texts
            .Select(name => value.TryGetProperty(name, out var inner) ? ErrorText(inner, depth - 1) : null)
            .FirstOrDefault(text => text is not null);
    }
}

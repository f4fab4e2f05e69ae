using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Harness.Storage;

/// <summary>Text that both databases take.</summary>
internal static class StoredText
{
    /// <summary>
    /// The text without what PostgreSQL refuses: U+0000, and halves of surrogate pairs, become U+FFFD. On SQLite too, so that both keep and
    /// find the same.
    /// </summary>
    public static string Clean(string text)
    {
        if (IsClean(text))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            clean.Append((rune.Value == 0 ? Rune.ReplacementChar : rune).ToString());
        }

        return clean.ToString();
    }

    /// <summary>As <see cref="Clean"/>; null stays null.</summary>
    public static string? CleanOrNull(string? text) => text is null ? null : Clean(text);

    public static string Labels(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count == 0)
        {
            return "{}";
        }

        var clean = new Dictionary<string, string>();
        foreach (var (name, value) in labels)
        {
            clean[Clean(name)] = Clean(value);
        }

        return JsonSerializer.Serialize(clean, LabelJson.Default.DictionaryStringString);
    }

    /// <summary>The labels of a row; null: it is damaged.</summary>
    public static Dictionary<string, string>? LabelsOrNull(string stored)
    {
        try
        {
            return JsonSerializer.Deserialize(stored, LabelJson.Default.DictionaryStringString);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsClean(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsSurrogate(text[i]) && !IsPair(text, i)))
            {
                return false;
            }

            i += char.IsSurrogate(text[i]) ? 1 : 0;
        }

        return true;
    }

    private static bool IsPair(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);
}

[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class LabelJson : JsonSerializerContext;

using System.Text;

namespace Harness.Suites;

/// <summary>A validation as failure texts show it: the reference's key order, omissions and escapes (compat/voiceflow.md 2.3).</summary>
internal static class ValidationJson
{
    public static string Of(Validation validation)
    {
        var json = new StringBuilder("{");
        if (validation.Id.Length > 0)
        {
            json.Append($"\"id\":{GoText.Quote(validation.Id)},");
        }

        json.Append($"\"type\":{GoText.Quote(validation.Type)}");
        if (validation.Value.Length > 0)
        {
            json.Append($",\"value\":{GoText.Quote(validation.Value)}");
        }

        if (validation.Values.Count > 0)
        {
            json.Append($",\"values\":[{string.Join(',', validation.Values.Select(GoText.Quote))}]");
        }

        if (validation.Similarity is { } similarity)
        {
            json.Append($",\"similarityConfig\":{{\"provider\":{GoText.Quote(similarity.Provider)},\"model\":{GoText.Quote(similarity.Model)}")
                .Append($",\"temperature\":{GoText.Plain(similarity.Temperature ?? 0)}")
                .Append($",\"similarityThreshold\":{GoText.Plain(similarity.Threshold)}")
                .Append($",\"top_k\":{similarity.TopK},\"top_p\":{GoText.Plain(similarity.TopP ?? 0)}}}");
        }

        if (validation.Variable is { } variable)
        {
            json.Append($",\"variableConfig\":{{\"name\":{GoText.Quote(variable.Name)}")
                .Append(variable.JsonPath.Length > 0 ? $",\"jsonPath\":{GoText.Quote(variable.JsonPath)}}}" : "}");
        }

        return json.Append('}').ToString();
    }
}

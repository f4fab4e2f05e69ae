using System.Globalization;
using System.Text.RegularExpressions;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>Asks a language model how alike texts are. Prompt and reading of the answer are the reference's (compat/voiceflow.md 3.4).</summary>
internal sealed partial class SimilarityJudge(Func<ILanguageModel> models, ModelSettings? defaults)
{
    private const string DefaultModel = "gpt-4o";

    /// <summary>The least score that passes where the suite gives no similarityConfig at all.</summary>
    private const double DefaultThreshold = 0.8;

    /// <summary>How a validation is judged: by its own settings, else by the suite's model; null where there is neither.</summary>
    public SimilaritySettings? SettingsOf(Validation validation)
    {
        if (validation.Similarity is null)
        {
            return defaults is null ? null : Complete(new SimilaritySettings { Threshold = DefaultThreshold });
        }

        return Complete(validation.Similarity);
    }

    /// <returns>Whether the score reaches the threshold, and a line that says why it does not.</returns>
    public async Task<(bool Passed, string? Line)> CheckAsync(
        string message, Validation validation, SimilaritySettings settings, CancellationToken stop)
    {
        if (settings.Provider != "openai")
        {
            return (false, "Unsupported provider: " + settings.Provider);
        }

        try
        {
            var answer = await models().CompleteAsync(Ask(message, validation, settings), stop);
            var number = LeadingNumber().Match(answer);
            return double.TryParse(number.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var score)
                ? (score >= settings.Threshold, null)
                : (false, $"Error checking similarity: the model answered '{SuiteReportReductions.Shorten(answer)}' instead of a number");
        }
        catch (AgentException error)
        {
            return (false, "Error checking similarity: " + error.Message);
        }
    }

    private SimilaritySettings Complete(SimilaritySettings settings) => settings with
    {
        Provider = settings.Provider.Length == 0 ? "openai" : settings.Provider,
        Model = settings.Model.Length == 0 ? defaults?.Model ?? DefaultModel : settings.Model,
        Temperature = settings.Temperature ?? defaults?.Temperature,
    };

    private static ModelPrompt Ask(string message, Validation validation, SimilaritySettings settings) =>
        new(
            settings.Model,
            [
                new ModelMessage("system", "You are a helpful assistant that calculates similarity scores and returns only numeric results."),
                new ModelMessage(
                    "user",
                    $"Compare the input message: \"{message}\" to the following strings: {GoText.List(validation.Values)}. Calculate the average "
                    + "similarity score (0 to 1) across all comparisons. Return only the numeric score without any additional text or explanation."),
            ])
        {
            Temperature = settings.Temperature,
            TopP = settings.TopP,
        };

    [GeneratedRegex(@"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", RegexOptions.CultureInvariant)]
    private static partial Regex LeadingNumber();
}

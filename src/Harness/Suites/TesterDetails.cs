using Harness.Agents;

namespace Harness.Suites;

/// <summary>Finds out when the agent asks for a personal detail, and gives the test's own or a made-up one.</summary>
internal sealed class TesterDetails(AgentTest test, TesterModel model, SuiteLines lines)
{
    private const string InventPrefix = "INVENT:";

    /// <returns>What to answer with; null when nothing was asked for.</returns>
    public async Task<string?> AnswerAsync(string agentMessage, string draft, CancellationToken stop)
    {
        await lines.WriteAsync("Analyzing user information request...");
        string found;
        try
        {
            found = (await model.AskAsync(TesterPrompts.FindRequest(test, agentMessage, draft), stop)).Trim();
        }
        catch (AgentException error)
        {
            await lines.WriteAsync("Error analyzing user info request: " + error.Message);
            return null;
        }

        await lines.WriteAsync("User info analysis result: " + found);
        if (found == "NONE")
        {
            return null;
        }

        var value = found.StartsWith(InventPrefix, StringComparison.Ordinal)
            ? await InventAsync(found[InventPrefix.Length..].Trim(), stop)
            : await FindAsync(found);
        if (value is not null)
        {
            await lines.WriteAsync("Providing user information: " + value);
        }

        return value;
    }

    private async Task<string?> FindAsync(string name)
    {
        if (test.UserInformation.LastOrDefault(info => info.Name == name) is { } exact)
        {
            await lines.WriteAsync($"Providing existing user information - {name}: {exact.Value}");
            return exact.Value;
        }

        if (test.UserInformation.LastOrDefault(info => info.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } similar)
        {
            await lines.WriteAsync($"Providing user information (case-insensitive match) - {similar.Name}: {similar.Value}");
            return similar.Value;
        }

        return null;
    }

    private async Task<string> InventAsync(string kind, CancellationToken stop)
    {
        string value;
        try
        {
            value = (await model.AskAsync(TesterPrompts.Invent(kind), stop)).Trim();
        }
        catch (AgentException)
        {
            // A detail nobody checks is not worth a failed test.
            value = Fallback(kind);
        }

        await lines.WriteAsync($"Invented {kind}: {value}");
        return value;
    }

    private static string Fallback(string kind) => kind.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant() switch
    {
        "email" => "testuser@example.com",
        "name" or "fullname" => "John Smith",
        "firstname" => "John",
        "lastname" => "Smith",
        "phone" or "phonenumber" => "555-123-4567",
        "address" => "123 Main St, New York, NY 10001",
        "account" or "accountnumber" => "ACC123456789",
        _ => $"test_{kind}_value",
    };
}

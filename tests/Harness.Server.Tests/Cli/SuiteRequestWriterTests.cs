using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Cli.Runs;
using Harness.Suites;

namespace Harness.Server.Tests.Cli;

public sealed class SuiteRequestWriterTests
{
    /// <summary>Every member that a suite can have, with a value that is not its default.</summary>
    private const string Everything = """
        {
          "api_key": "key", "voiceflow_subdomain": "sub", "voiceflow_runtime_url": "http://r", "voiceflow_api_url": "http://a",
          "voiceflow_analytics_url": "http://n", "agent": { "type": "webhook", "url": "http://w", "headers": { "X": "1" } },
          "suite": {
            "name": "N", "description": "D", "environment_name": "E", "new_session_per_test": true, "fail_fast": false, "parallel": 3,
            "openAIConfig": { "model": "m", "temperature": 0.5 },
            "tests": [
              { "id": "t1", "test": { "name": "T", "description": "TD", "interactions": [
                { "id": "i1", "user": { "type": "text", "text": "hi", "value": "V", "event": "E",
                    "intent": { "name": "I", "entities": [{ "name": "en", "value": "ev" }] } },
                  "variables": { "b": [1, { "x": null }], "a": "z" },
                  "agent": { "validate": [
                    { "id": "v1", "type": "similarity", "value": "W", "values": ["p", "q"],
                      "similarityConfig": { "provider": "openai", "model": "m", "temperature": 0.1, "similarityThreshold": 0.8, "top_k": 5, "top_p": 0.9 },
                      "variableConfig": { "name": "n", "jsonPath": "$.x" } }] } }] } },
              { "id": "t2", "test": { "name": "A", "description": "AD", "agent": {
                "goal": "G", "persona": "P", "maxSteps": 4, "userInformation": [{ "name": "un", "value": "uv" }],
                "openAIConfig": { "model": "am", "temperature": 0.2 },
                "voiceflowAgentTesterConfig": { "environmentName": "te", "apiKey": "tk", "variables": { "k": 1 } },
                "voiceflowAgentTargetConfig": { "variables": { "l": 2 } } } } }
            ]
          }
        }
        """;

    [Fact]
    public void NothingOfASuiteIsLostOnItsWayToAServer()
    {
        var suite = SuiteReader.Read(JsonElement.Parse(Everything));

        var written = JsonNode.Parse(SuiteRequestWriter.Write(suite));

        AssertHolds(JsonNode.Parse(Everything)!, written, "$");
        Assert.Equal(
            Printed(suite), Printed(SuiteReader.Read(JsonElement.Parse(SuiteRequestWriter.Write(suite)))));
    }

    [Fact]
    public void ConnectorWithoutSettingsIsWrittenAsItsName()
    {
        var suite = SuiteReader.Read(JsonElement.Parse("""{"agent":"demo","suite":{"name":"N","environment_name":"E","tests":[]}}"""));

        var written = JsonNode.Parse(SuiteRequestWriter.Write(suite))!;

        Assert.Equal("demo", (string?)written["agent"]);
    }

    private static void AssertHolds(JsonNode expected, JsonNode? actual, string path)
    {
        switch (expected)
        {
            case JsonObject members:
                foreach (var (name, value) in members.Where(member => member.Value is not null))
                {
                    AssertHolds(value!, actual?[name], $"{path}.{name}");
                }

                break;
            case JsonArray items:
                Assert.Equal(items.Count, (actual as JsonArray)?.Count);
                foreach (var (index, item) in items.Index())
                {
                    AssertHolds(item!, actual![index], $"{path}[{index}]");
                }

                break;
            default:
                Assert.True(JsonNode.DeepEquals(expected, actual), $"{path}: {expected} became {actual?.ToJsonString() ?? "nothing"}");
                break;
        }
    }

    private static string Printed(Suite suite) => JsonSerializer.Serialize(suite);
}

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>Describes the seed's routes in the OpenAPI document: the definitions clients know by name, and <c>/ws</c> in words.</summary>
internal sealed class VoiceflowDocument : IOpenApiDocumentTransformer
{
    private const string Json = "application/json";

    private const string Description =
        """
        Runs conversation test suites and other executions, and lets any number of clients watch each of them live.

        **WebSocket `/ws`** carries one JSON object per text message.

        Client to server:
        - `{"action":"execute","data":<TestExecutionRequest>}` starts a suite
        - `{"action":"status","id":"<execution id>"}` asks where an execution stands
        - `{"action":"cancel","id":"<execution id>"}` cancels it

        Server to client:
        - `{"type":"status","id":"…","message":"running","data":{…}}` answers `execute`; `status` and `cancel` are answered without `message`
        - `{"type":"log","id":"…","message":"Running Test ID: t1"}` is one line of the log, as it is written
        - `{"type":"result","id":"…","data":<TestStatusResponse>}` is the last message of every execution
        - `{"type":"error","id":"…","message":"…"}` answers a message that cannot be followed; the socket stays open

        **API keys**: where the server has keys, every route but `/health` needs one, as `Authorization: Bearer`, as `X-API-Key`, or as
        `?access_token=` where a client cannot set headers.
        """;

    private const string RequestExample =
        """
        {"suite":{"name":"Example Suite","description":"Suite used as an example","environment_name":"production","tests":[{"id":"test_1",
        "test":{"name":"Example test","description":"These are some tests","interactions":[{"id":"test_1_1","user":{"type":"text",
        "text":"hi"},"agent":{"validate":[{"type":"contains","value":"hello"}]}}]}}]}}
        """;

    private const string StartedExample =
        """
        {"id":"123e4567-e89b-12d3-a456-426614174000","status":"running","started_at":"2023-01-01T00:00:00Z",
        "logs":["Test execution started"]}
        """;

    private const string StatusExample =
        """
        {"id":"123e4567-e89b-12d3-a456-426614174000","status":"completed","started_at":"2023-01-01T00:00:00Z",
        "completed_at":"2023-01-01T00:05:00Z","logs":["Starting test suite execution...","Test suite execution completed successfully"]}
        """;

    /// <summary>Adds the descriptions to what the routes themselves say.</summary>
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo { Title = "Harness API", Version = ProductVersion.Current, Description = Description };

        // The reader knows by what address the server is reached; behind a proxy's TLS the server does not.
        document.Servers = [new OpenApiServer { Url = "/" }];
        foreach (var type in WireTypes.All)
        {
            document.AddComponent(NameOf(type), Describe(type, document));
        }

        var execute = Find(document, HttpMethod.Post, "/api/v1/tests/execute");
        execute.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = Content(WireTypes.TestExecutionRequest, document, RequestExample),
        };
        Answer(execute, document, "202", "Started", WireTypes.TestExecutionResponse, StartedExample);
        Answer(execute, document, "400", "Not a suite that can be executed", WireTypes.ErrorResponse);
        Answer(execute, document, "413", "Longer than the server accepts", WireTypes.ErrorResponse);
        Answer(execute, document, "503", "The server is full, or stops", WireTypes.ErrorResponse);

        var status = Find(document, HttpMethod.Get, "/api/v1/tests/status/{id}");
        Answer(status, document, "200", "Where it stands", WireTypes.TestStatusResponse, StatusExample);
        Answer(status, document, "404", "No such execution", WireTypes.ErrorResponse);
        Answer(status, document, "503", "The store cannot be read", WireTypes.ErrorResponse);

        var cancel = Find(document, HttpMethod.Post, "/api/v1/tests/cancel/{id}");
        Answer(cancel, document, "200", "Cancelled", WireTypes.TestStatusResponse);
        Answer(cancel, document, "404", "No such execution", WireTypes.ErrorResponse);
        Answer(cancel, document, "409", "It has ended already", WireTypes.ErrorResponse);
        Answer(cancel, document, "503", "The store cannot be read", WireTypes.ErrorResponse);

        Answer(Find(document, HttpMethod.Get, "/api/v1/system/info"), document, "200", "What runs here", WireTypes.SystemInfoResponse);
        Answer(Find(document, HttpMethod.Get, "/health"), document, "200", "Alive", WireTypes.HealthResponse);

        var ready = Find(document, HttpMethod.Get, "/health/ready");
        Answer(ready, document, "200", "It does", WireTypes.ReadyResponse);
        Answer(ready, document, "503", "It does not, for these reasons", WireTypes.ReadyResponse);
        return Task.CompletedTask;
    }

    private static OpenApiOperation Find(OpenApiDocument document, HttpMethod method, string path)
    {
        var operation = document.Paths[path].Operations![method];
        operation.Responses = [];
        return operation;
    }

    private static void Answer(
        OpenApiOperation operation, OpenApiDocument document, string code, string meaning, WireType type, string? example = null) =>
        operation.Responses![code] = new OpenApiResponse { Description = meaning, Content = Content(type, document, example) };

    private static Dictionary<string, OpenApiMediaType> Content(WireType type, OpenApiDocument document, string? example) => new()
    {
        [Json] = new OpenApiMediaType { Schema = Refer(type, document), Example = example is null ? null : JsonNode.Parse(example) },
    };

    private static IOpenApiSchema Refer(WireType type, OpenApiDocument document) =>
        type.Kind == WireKind.Object ? new OpenApiSchemaReference(NameOf(type), document) : Describe(type, document);

    private static OpenApiSchema Describe(WireType type, OpenApiDocument document) => type.Kind switch
    {
        WireKind.Text => new OpenApiSchema { Type = JsonSchemaType.String },
        WireKind.Flag => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        WireKind.Whole => new OpenApiSchema { Type = JsonSchemaType.Integer },
        WireKind.Real => new OpenApiSchema { Type = JsonSchemaType.Number },
        WireKind.List => new OpenApiSchema { Type = JsonSchemaType.Array, Items = Refer(type.Element!, document) },
        WireKind.Object => new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = type.Fields.ToDictionary(field => field.Name, field => DescribeField(field, document)),
            Required = type.Fields.Where(field => field.IsRequired).Select(field => field.Name).ToHashSet(),
        },
        WireKind.Anything => new OpenApiSchema(),
        _ => new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalPropertiesAllowed = true },
    };

    private static IOpenApiSchema DescribeField(WireField field, OpenApiDocument document)
    {
        var schema = Refer(field.Type, document);
        schema.Description ??= field.Meaning;
        return schema;
    }

    // The seed's document names the request's own types without their package.
    private static string NameOf(WireType type) =>
        type.Name.StartsWith("handlers.", StringComparison.Ordinal) ? type.ShortName : type.Name;
}

using System.Text;

namespace Harness.Server.Tests.Transports;

/// <summary>What is wrong on <c>/ws</c> gets an exact answer or a close code, and disturbs nobody else.</summary>
public sealed class MalformedInputTests
{
    private const string Status = """{"action":"status","id":"nope"}""";
    private const string Healthy = """{"type":"error","id":"nope","message":"Test execution not found: nope","code":"not_found"}""";

    private static readonly (string What, byte[] Frame, int Code)[] Frames =
    [
        ("bytes that are no UTF-8", Masked(0x81, [(byte)'{', 0xff, (byte)'}']), 1007),
        ("an overlong encoding", Masked(0x81, [0xc0, 0x80]), 1007),
        ("a surrogate in UTF-8", Masked(0x81, [0xed, 0xa0, 0x80]), 1007),
        ("no mask", [0x81, 0x08, .. "{      }"u8], 1002),
        ("a reserved bit", Masked(0xc1, "{}"u8.ToArray()), 1002),
        ("an unknown opcode", Masked(0x83, []), 1002),
        ("an unknown control opcode", Masked(0x8b, []), 1002),
        ("a fragmented control frame", Masked(0x09, []), 1002),
        ("a control frame of 126 bytes", [0x89, 0xfe, 0, 126, 1, 2, 3, 4, .. new byte[126]], 1002),
        ("a continuation of nothing", Masked(0x80, "{}"u8.ToArray()), 1002),
        ("a close frame with half a code", Masked(0x88, [3]), 1002),
        ("a message over the limit", [0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4, .. new byte[0xffff]], 1009),
    ];

    public static TheoryData<string, string, string> Messages => new()
    {
        { "", "invalid_json", "Invalid JSON: unexpected end of JSON input" },
        { "   ", "invalid_json", "Invalid JSON: unexpected end of JSON input" },
        { "hello", "invalid_json", "Invalid JSON: invalid character 'h' looking for beginning of value" },
        { "{", "invalid_json", "Invalid JSON: unexpected end of JSON input" },
        { "{}{}", "invalid_json", "Invalid JSON: invalid character '{' after top-level value" },
        { "{\"action\":\"ping\",}", "invalid_json", "Invalid JSON: invalid character '}' looking for beginning of object key string" },
        { "{'action':'ping'}", "invalid_json", "Invalid JSON: invalid character '\\'' looking for beginning of object key string" },
        { "[1]", "invalid_json", "Invalid JSON: json: cannot unmarshal array into Go value of type handlers.WSIncomingMessage" },
        { "7", "invalid_json", "Invalid JSON: json: cannot unmarshal number into Go value of type handlers.WSIncomingMessage" },
        { "\"ping\"", "invalid_json", "Invalid JSON: json: cannot unmarshal string into Go value of type handlers.WSIncomingMessage" },
        { """{"action":true}""", "invalid_json", "Invalid JSON: json: cannot unmarshal bool into Go struct field WSIncomingMessage.action of type string" },
        { """{"action":"ping","ref":7}""", "invalid_json", "Invalid JSON: json: cannot unmarshal number into Go struct field WSIncomingMessage.ref of type string" },
        { "null", "unknown_action", "Unknown action: . Supported actions: execute, cancel, status" },
        { """{"action":"PING"}""", "unknown_action", "Unknown action: PING. Supported actions: execute, cancel, status" },
        { """{"action":"\ud800"}""", "unknown_action", "Unknown action: \ufffd. Supported actions: execute, cancel, status" },
        { """{"action":"ping","action":"foo"}""", "unknown_action", "Unknown action: foo. Supported actions: execute, cancel, status" },
        { """{"action":"subscribe"}""", "missing_id", "Missing execution id for subscribe action" },
        { """{"action":"unsubscribe"}""", "missing_id", "Missing execution id for unsubscribe action" },
        { """{"action":"subscribe","id":"X"}""", "not_found", "Test execution not found: X" },
        { """{"action":"subscribe","id":"X","from":-1}""", "invalid_field", "from must be a whole number from 0 to 9223372036854775807" },
        { """{"action":"subscribe","id":"X","from":1e400}""", "invalid_field", "from must be a whole number from 0 to 9223372036854775807" },
        { """{"action":"subscribe","id":"X","from":1.5}""", "invalid_field", "from must be a whole number from 0 to 9223372036854775807" },
        { """{"action":"subscribe","id":"X","from":"later"}""", "invalid_field", "from must be a sequence or \"now\"" },
        { """{"action":"subscribe","id":"X","from":1,"tail":1}""", "invalid_field", "from and tail exclude each other: send one of them" },
        { """{"action":"subscribe","id":"X","events":"yes"}""", "invalid_field", "events must be true or false" },
        { """{"action":"subscribe","id":"X","epoch":7}""", "invalid_field", "epoch must be a string of at most 256 characters" },
        { """{"action":"list","limit":501}""", "invalid_field", "limit must be a whole number from 1 to 500" },
        { """{"action":"list","limit":99999999999999999999}""", "invalid_field", "limit must be a whole number from 1 to 500" },
        { """{"action":"list","filter":[]}""", "invalid_field", "filter must be a JSON object" },
        { """{"action":"list","filter":{"label":{"a":"1"}}}""", "invalid_field", "filter must be an object of status, kind and labels, and nothing else" },
        { """{"action":"cancel","filter":{"stat":"running"}}""", "invalid_field", "filter must be an object of status, kind and labels, and nothing else" },
        { """{"action":"list","filter":{"status":"done"}}""", "invalid_field", "status must be pending, running, suspended, completed, failed, cancelled" },
        { """{"action":"list","filter":{"labels":{"a":1}}}""", "invalid_field", "filter.labels.a must be a string of at most 256 characters" },
        { """{"action":"list","cursor":"nope"}""", "invalid_cursor", "The cursor is unknown or from before a restart; begin again without one" },
        { """{"action":"status","id":"X","logs":"some"}""", "invalid_field", "logs must be full, none or {\"from\":1,\"limit\":100}" },
        { """{"action":"cancel","ids":"X"}""", "invalid_field", "ids must be an array of at most 500 strings of at most 256 characters" },
        { """{"action":"cancel","ids":[1]}""", "invalid_field", "ids must be an array of at most 500 strings of at most 256 characters" },
        { """{"action":"cancel","id":"X","ids":["Y"]}""", "invalid_field", "id excludes ids and filter: name the one or the many" },
        { """{"action":"cancel","id":"X","filter":{}}""", "invalid_field", "id excludes ids and filter: name the one or the many" },
        { """{"action":"cancel","ids":["X"],"filter":{"kind":"suite"}}""", "invalid_field", "ids excludes filter: name them, or say what they have in common" },
        { """{"action":"execute","timeout_ms":0}""", "invalid_field", "timeout_ms must be a whole number from 1 to 604800000" },
        { """{"action":"execute","on_disconnect":"stop"}""", "invalid_field", "on_disconnect must be continue or cancel" },
        { """{"action":"execute","labels":{"":"x"}}""", "invalid_field", "each name in labels must be 1 to 64 characters long" },
        { $$"""{"action":"execute","idempotency_key":"{{new string('k', 129)}}"}""", "invalid_field", "idempotency_key must be a string of at most 128 characters" },
        { $$"""{"action":"cancel","id":"X","reason":"{{new string('r', 1025)}}"}""", "invalid_field", "reason must be a string of at most 1024 characters" },
        { $$"""{"action":"ping","ref":"{{new string('r', 257)}}"}""", "invalid_field", "ref must be a string of at most 256 characters" },
        { $$"""{"action":"status","id":"{{new string('<', 257)}}"}""", "invalid_field", "id must be a string of at most 256 characters" },
        { $$"""{"action":"unsubscribe","id":"{{new string('<', 257)}}"}""", "invalid_field", "id must be a string of at most 256 characters" },
        { $$"""{"action":"cancel","ids":["{{new string('<', 257)}}"]}""", "invalid_field", "ids must be an array of at most 500 strings of at most 256 characters" },
        { $$"""{"action":"{{new string('a', 300)}}"}""", "unknown_action", $"Unknown action: {new string('a', 256)}…. Supported actions: execute, cancel, status" },
        { $$"""{"action":"ping","data":{{new string('[', 200)}}{{new string(']', 200)}}}""", "invalid_json", "Invalid JSON: invalid character '[' exceeded max depth of 128" },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task BadMessageHasItsAnswerAndTheSocketStaysOpen(string message, string code, string text)
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);
        using var control = await SocketClient.ConnectAsync(app);

        var answer = await client.AskJsonAsync(message);

        Assert.Equal(("error", code, text), (answer.Type(), answer.Text("code"), answer.Text("message")));
        Assert.Equal(Healthy, await client.AskAsync(Status));
        Assert.Equal(Healthy, await control.AskAsync(Status));
    }

    [Theory]
    [MemberData(nameof(WirePaths.All), MemberType = typeof(WirePaths))]
    public async Task BrokenFrameHasItsCloseCodeOnEveryPath(WirePath path)
    {
        await using var app = await path.StartAsync(("MaxMessageBytes", "2048"));
        using var control = await path.ConnectAsync(app);
        foreach (var (what, frame, code) in Frames)
        {
            using var raw = await path.ConnectAsync(app);
            await raw.SendBytesAsync(frame);

            Assert.Equal((what, code), (what, await raw.ReadCloseCodeAsync()));
            await control.SendAsync(RawSocket.Text, Status);
            Assert.Equal(Healthy, Encoding.UTF8.GetString((await control.ReadAsync())!.Value.Payload));
        }
    }

    private static byte[] Masked(byte head, byte[] payload)
    {
        byte[] mask = [1, 2, 3, 4];
        return [head, (byte)(0x80 | payload.Length), .. mask, .. payload.Select((value, index) => (byte)(value ^ mask[index % 4]))];
    }
}

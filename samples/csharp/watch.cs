#:property PublishAot=false

// Runs the example suite on a server and prints every frame that comes: dotnet run watch.cs [ws://host:port/ws]

using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

const string Execute = """
    {
      "action": "execute",
      "data": {
        "suite": {
          "name": "Example Suite",
          "description": "Suite used as an example",
          "environment_name": "production",
          "tests": [
            {
              "id": "test_1",
              "test": {
                "name": "Example test",
                "description": "These are some tests",
                "interactions": [
                  {
                    "id": "test_1_1",
                    "user": { "type": "text", "text": "hi" },
                    "agent": { "validate": [{ "type": "contains", "value": "hello" }] }
                  }
                ]
              }
            }
          ]
        }
      }
    }
    """;

var address = new Uri(args.FirstOrDefault() ?? Environment.GetEnvironmentVariable("HARNESS_WS") ?? "ws://localhost:8080/ws");
using var socket = new ClientWebSocket();
if (Environment.GetEnvironmentVariable("HARNESS_API_KEY") is { Length: > 0 } key)
{
    socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
}

await socket.ConnectAsync(address, CancellationToken.None);
await socket.SendAsync(Encoding.UTF8.GetBytes(Execute), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

var message = new MemoryStream();
var buffer = new byte[16 * 1024];
while (true)
{
    var received = await socket.ReceiveAsync(buffer, CancellationToken.None);
    message.Write(buffer, 0, received.Count);
    if (received.MessageType == WebSocketMessageType.Close)
    {
        return 1;
    }

    if (!received.EndOfMessage)
    {
        continue;
    }

    var frame = JsonDocument.Parse(message.ToArray()).RootElement;
    message.SetLength(0);
    Console.WriteLine(frame);
    if (frame.GetProperty("type").GetString() is "result" or "error")
    {
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        return frame.TryGetProperty("data", out var data) && data.GetProperty("status").GetString() == "completed" ? 0 : 1;
    }
}

using System.Buffers;
using System.Text.Json;
using Harness.Server.Transports.SignalR.MessagePack;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Harness.Server.Tests.Transports.SignalR.MessagePack;

public sealed class HubProtocolFuzzTests
{
    private const int Rounds = 50_000;

    private static readonly Type[] Parameters = [typeof(JsonElement), typeof(string), typeof(long)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void NoBytesMakeItThrowAnythingButInvalidData(int seed)
    {
        var random = new Random(seed);
        var protocol = new MessagePackHubProtocol(new JsonHubProtocolOptions());
        var whole = protocol.GetMessageBytes(new InvocationMessage(
            "id", "Method", [JsonElement.Parse("""{"a":[1,-1,1.5,"x",null,{"b":true}],"c":"0123456789012345678901234567890123456789"}"""), "text", 1L << 40], ["s"])
        {
            Headers = new Dictionary<string, string> { ["name"] = "value" },
        }).ToArray();
        var outcomes = new HashSet<string>();

        for (var round = 0; round < Rounds; round++)
        {
            var bytes = Mutate(whole, random);
            try
            {
                var input = new ReadOnlySequence<byte>(bytes);
                while (protocol.TryParseMessage(ref input, new Binder(Parameters), out var message))
                {
                    outcomes.Add(message.GetType().Name);
                }
            }
            catch (InvalidDataException e)
            {
                outcomes.Add(e.GetType().Name);
            }
        }

        Assert.Superset(
            new HashSet<string> { nameof(InvocationMessage), nameof(InvocationBindingFailureMessage), nameof(InvalidDataException) }, outcomes);
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var bytes = whole.ToArray();
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Harness.Executions;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// Turns JSON into MessagePack and back in one pass and without a document in between. Integers stay integers; other numbers are doubles.
/// </summary>
internal static class JsonTranscoder
{
    private const int MaxDepth = JsonSyntax.MaxDepth;
    private const sbyte TimestampExtension = -1;

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    /// <summary>Writes one JSON value as MessagePack.</summary>
    /// <exception cref="JsonException">It is not JSON, or nested too deep.</exception>
    public static void ToMessagePack(ReadOnlySpan<byte> json, MessagePackWriter writer)
    {
        var reader = new Utf8JsonReader(json, ReaderOptions);
        Span<(int Start, int Count)> open = stackalloc (int, int)[MaxDepth + 1];
        var depth = 0;
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                var (start, count) = open[depth--];
                if (reader.TokenType == JsonTokenType.EndObject)
                {
                    writer.EndMap(start, count);
                }
                else
                {
                    writer.EndArray(start, count);
                }

                continue;
            }

            if (reader.TokenType != JsonTokenType.PropertyName)
            {
                open[depth].Count++;
            }

            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                open[++depth] = (writer.BeginContainer(), 0);
            }
            else
            {
                WriteScalar(ref reader, writer);
            }
        }
    }

    /// <summary>Writes the next MessagePack value as JSON: binary as base64, timestamps as ISO 8601.</summary>
    /// <exception cref="InvalidDataException">It is not MessagePack, or JSON has no such value.</exception>
    /// <exception cref="HubException">It is nested too deep, which clients are told.</exception>
    public static void ToJson(ref MessagePackReader reader, Utf8JsonWriter writer, int depth = 0)
    {
        switch (reader.Kind)
        {
            case MessagePackKind.Nil:
                reader.TryReadNil();
                writer.WriteNullValue();
                break;
            case MessagePackKind.Boolean:
                writer.WriteBooleanValue(reader.ReadBoolean());
                break;
            case MessagePackKind.Integer:
                WriteInteger(reader.ReadInteger(), writer);
                break;
            case MessagePackKind.Float:
                var number = reader.ReadDouble();
                writer.WriteNumberValue(double.IsFinite(number) ? number : throw new InvalidDataException("A number is not finite"));
                break;
            case MessagePackKind.String:
                writer.WriteStringValue(reader.ReadText());
                break;
            case MessagePackKind.Binary:
                writer.WriteBase64StringValue(reader.ReadBinary());
                break;
            case MessagePackKind.Extension:
                writer.WriteStringValue(ReadTimestamp(ref reader));
                break;
            default:
                WriteContainer(ref reader, writer, depth);
                break;
        }
    }

    private static void WriteScalar(ref Utf8JsonReader reader, MessagePackWriter writer)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String or JsonTokenType.PropertyName when !reader.ValueIsEscaped:
                writer.WriteString(reader.ValueSpan);
                break;
            case JsonTokenType.String or JsonTokenType.PropertyName:
                WriteEscaped(ref reader, writer);
                break;
            case JsonTokenType.Number when reader.TryGetInt64(out var integer):
                writer.WriteInteger(integer);
                break;
            case JsonTokenType.Number when reader.TryGetUInt64(out var integer):
                writer.WriteInteger(integer);
                break;
            case JsonTokenType.Number:
                writer.WriteDouble(reader.GetDouble());
                break;
            case JsonTokenType.Null:
                writer.WriteNil();
                break;
            default:
                writer.WriteBoolean(reader.TokenType == JsonTokenType.True);
                break;
        }
    }

    private static void WriteEscaped(ref Utf8JsonReader reader, MessagePackWriter writer)
    {
        // Unescaped text is never longer than what it was written as.
        var room = writer.ReserveString(reader.ValueSpan.Length);
        try
        {
            writer.CommitString(reader.CopyString(room));
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: JSON can say it, UTF-8 cannot.
            byte[] quoted = [(byte)'"', .. reader.ValueSpan, (byte)'"'];
            var repaired = new Utf8JsonReader(JsonRepair.Apply(quoted).Span);
            repaired.Read();
            writer.WriteString(repaired.GetString());
        }
    }

    private static void WriteInteger(Int128 value, Utf8JsonWriter writer)
    {
        if (value > long.MaxValue)
        {
            writer.WriteNumberValue((ulong)value);
        }
        else
        {
            writer.WriteNumberValue((long)value);
        }
    }

    private static void WriteContainer(ref MessagePackReader reader, Utf8JsonWriter writer, int depth)
    {
        if (depth == MaxDepth)
        {
            throw new HubException($"The command is nested deeper than {MaxDepth} levels");
        }

        if (reader.Kind == MessagePackKind.Array)
        {
            writer.WriteStartArray();
            for (var left = reader.ReadArrayHeader(); left > 0; left--)
            {
                ToJson(ref reader, writer, depth + 1);
            }

            writer.WriteEndArray();
            return;
        }

        writer.WriteStartObject();
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            writer.WritePropertyName(reader.ReadText());
            ToJson(ref reader, writer, depth + 1);
        }

        writer.WriteEndObject();
    }

    // The one extension there is (msgpack/spec.md, "Timestamp extension type"): 32 bits of seconds; 30 of nanoseconds and 34 of seconds;
    // or 32 of nanoseconds and 64 of seconds.
    private static DateTime ReadTimestamp(ref MessagePackReader reader)
    {
        var bytes = reader.ReadExtension(out var type);
        if (type != TimestampExtension || bytes.Length is not (4 or 8 or 12))
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"A MessagePack extension of type {type} and {bytes.Length} bytes is not known here"));
        }

        var packed = bytes.Length == 8 ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;
        var (seconds, nanoseconds) = bytes.Length switch
        {
            4 => ((long)BinaryPrimitives.ReadUInt32BigEndian(bytes), 0L),
            8 => ((long)(packed & 0x3_FFFF_FFFF), (long)(packed >> 34)),
            _ => (BinaryPrimitives.ReadInt64BigEndian(bytes[4..]), (long)BinaryPrimitives.ReadUInt32BigEndian(bytes)),
        };
        var isKnownToCalendars = seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds()
            && seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds() && nanoseconds < 1_000_000_000;
        return isKnownToCalendars
            ? DateTime.UnixEpoch.AddTicks((seconds * TimeSpan.TicksPerSecond) + (nanoseconds / TimeSpan.NanosecondsPerTick))
            : throw new InvalidDataException("A timestamp is beyond the calendar");
    }
}

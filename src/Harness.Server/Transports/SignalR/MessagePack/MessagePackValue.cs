using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// Arguments, items and results as .NET values. Plain ones are read and written as they are; all others by their JSON contract, so that
/// names and shapes are the same in both protocols of the hub.
/// </summary>
internal static class MessagePackValue
{
    /// <summary>Reads one value, given by its bytes, as a type.</summary>
    /// <exception cref="InvalidDataException">It is not of this type.</exception>
    /// <exception cref="HubException">It is nested too deep, which clients are told.</exception>
    public static object? Read(ReadOnlySpan<byte> value, Type type, JsonSerializerOptions json)
    {
        var reader = new MessagePackReader(value);
        if (type == typeof(RawResult))
        {
            return new RawResult(new ReadOnlySequence<byte>(value.ToArray()));
        }

        if (reader.Kind == MessagePackKind.Nil && (!type.IsValueType || Nullable.GetUnderlyingType(type) is not null))
        {
            return null;
        }

        return Type.GetTypeCode(type.IsEnum ? null : type) switch
        {
            TypeCode.String => Encoding.UTF8.GetString(reader.ReadText()),
            TypeCode.Boolean => reader.ReadBoolean(),
            TypeCode.Int32 => (int)ReadInteger(ref reader, int.MinValue, int.MaxValue),
            TypeCode.Int64 => (long)ReadInteger(ref reader, long.MinValue, long.MaxValue),
            TypeCode.Double => reader.ReadDouble(),
            _ when type == typeof(byte[]) => reader.ReadBinary().ToArray(),
            _ => ReadJson(ref reader, type, json),
        };
    }

    /// <summary>Writes one value.</summary>
    public static void Write(object? value, MessagePackWriter writer, JsonSerializerOptions json)
    {
        switch (value)
        {
            case null:
                writer.WriteNil();
                break;
            case IMessagePackWritable writable:
                writable.WriteTo(writer);
                break;
            case RawResult raw:
                writer.WriteRaw(raw.RawSerializedData.ToArray());
                break;
            case string text:
                writer.WriteString(text);
                break;
            case bool flag:
                writer.WriteBoolean(flag);
                break;
            case int number:
                writer.WriteInteger(number);
                break;
            case long number:
                writer.WriteInteger(number);
                break;
            case double number:
                writer.WriteDouble(number);
                break;
            case byte[] bytes:
                writer.WriteBinary(bytes);
                break;
            default:
                JsonTranscoder.ToMessagePack(JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), json), writer);
                break;
        }
    }

    private static Int128 ReadInteger(ref MessagePackReader reader, long least, long most)
    {
        var value = reader.ReadInteger();
        return value >= least && value <= most
            ? value
            : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{value} is not between {least} and {most}"));
    }

    private static object? ReadJson(ref MessagePackReader reader, Type type, JsonSerializerOptions json)
    {
        var utf8 = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(utf8))
        {
            JsonTranscoder.ToJson(ref reader, writer);
        }

        try
        {
            return JsonSerializer.Deserialize(utf8.WrittenSpan, type, json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }
}

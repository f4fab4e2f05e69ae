using System.Buffers;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>A request's body: its bytes, or a command.</summary>
internal static class RequestBody
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = JsonSyntax.MaxDepth };

    /// <summary>Reads the body; an empty one is a command without members. Kestrel refuses one over <see cref="ServerOptions.MaxBodyBytes"/>.</summary>
    /// <exception cref="CommandException">It is no JSON object.</exception>
    public static async Task<CommandFields> ReadFieldsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await ReadAsync(request, cancellationToken);
        if (body.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return new CommandFields(default);
        }

        return JsonSyntax.Describe(body.Span) is { } problem
            ? throw new CommandException($"Invalid JSON: {problem}", "invalid_json")
            : new CommandFields(JsonElement.Parse(JsonRepair.Apply(body).Span, Strict));
    }

    /// <summary>All bytes of the body. Kestrel refuses one over <see cref="ServerOptions.MaxBodyBytes"/> while it is read.</summary>
    /// <exception cref="BadHttpRequestException">It is compressed.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            throw new BadHttpRequestException(
                $"The request body has the content encoding '{encoding}', which this server does not read; send it uncompressed",
                StatusCodes.Status415UnsupportedMediaType);
        }

        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellationToken);
            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return body;
            }

            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}

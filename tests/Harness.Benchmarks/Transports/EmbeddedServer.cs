using System.Globalization;
using System.Net;
using System.Text;
using Harness.Executions;
using Harness.Server;
using Harness.Storage;
using Microsoft.AspNetCore.Connections.Features;

namespace Harness.Benchmarks.Transports;

/// <summary>Harness inside a program of one's own, otherwise as <c>harness server</c>.</summary>
internal static class EmbeddedServer
{
    /// <summary>The argument that makes this program the server; a port, one of the next two and the store follow.</summary>
    public const string Command = "embedded-server";

    /// <summary>Lines are strings, as most programs have them.</summary>
    public const string Strings = "strings";

    /// <summary>Connections have no socket to write to, as with TLS or within HTTP/2: all goes through the stream.</summary>
    public const string Stream = "stream";

    /// <summary>Runs until it is killed.</summary>
    /// <exception cref="ArgumentException"><paramref name="difference"/> is neither.</exception>
    public static async Task RunAsync(string port, string difference, string[] store)
    {
        var builder = WebApplication.CreateBuilder();
        var harness = builder.AddHarness();
        switch (difference)
        {
            case Strings:
                harness.Services.AddSingleton<IExecutionKind, StringKind>();
                break;
            case Stream:
                harness.Services.AddSingleton<IExecutionKind, SyntheticKind>();
                break;
            default:
                throw new ArgumentException($"'{difference}' is neither {Strings} nor {Stream}.", nameof(difference));
        }

        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(store switch
        {
            ["--data", var folder] => [Setting(nameof(StoreOptions.Data), folder)],
            ["--store", var connection] => [Setting(nameof(StoreOptions.ConnectionString), connection)],
            _ => [Setting(nameof(StoreOptions.MemoryOnly), "true")],
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture), listen =>
        {
            if (difference == Stream)
            {
                listen.Use(next => connection =>
                {
                    connection.Features.Set<IConnectionSocketFeature>(null);
                    return next(connection);
                });
            }

            listen.UseHarness();
        }));
        var app = builder.Build();
        app.MapHarness();
        await app.RunAsync();
    }

    private static KeyValuePair<string, string?> Setting(string name, string value) => KeyValuePair.Create($"{StoreOptions.Section}:{name}", (string?)value);

    /// <summary>The kind <c>synthetic</c> with strings and no pace: each line is made anew, as the answer of an agent would be.</summary>
    private sealed class StringKind : IExecutionKind
    {
        private const int LineLength = 100;

        // What stands behind the stamp.
        private static readonly string[] Texts =
        [
            .. SyntheticText.Lines(LineLength).Chunk(LineLength).Select(line => Encoding.ASCII.GetString(line)[SyntheticText.Stamp.Length..]),
        ];

        public string Name => "synthetic";

        public ExecutionPlan Plan(System.Text.Json.JsonElement data)
        {
            var (lines, watchers) = (data.GetProperty("lines").GetInt64(), data.GetProperty("watchers").GetInt32());
            return new ExecutionPlan(new ExecutionRequest { Kind = Name, Name = "strings" }, async (log, stop) =>
            {
                await log.WaitForReadersAsync(watchers, stop);
                for (var written = 0L; written < lines; written++)
                {
                    await log.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"T={written:D19}{Texts[written % Texts.Length]}"), stop);
                }

                return new ExecutionResult(ExecutionStatus.Completed);
            });
        }
    }
}

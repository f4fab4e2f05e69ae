using System.Globalization;
using Microsoft.AspNetCore.SignalR;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Json;

namespace Harness.Server;

/// <summary>The server's own log, on the standard output: readable lines, or one JSON object per line.</summary>
internal static class ServerLog
{
    private const string LineTemplate = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}";
    private const string BannerTemplate = "{Message:lj}{NewLine}";

    /// <summary>Makes Serilog the only writer of the host's log.</summary>
    public static void AddHarness(this ILoggingBuilder logging, IConfiguration server)
    {
        // Read one by one and leniently: a wrong value is told at the start, by the options' own validation.
        var debug = bool.TryParse(server[nameof(ServerOptions.Debug)], out var isDebug) && isDebug;
        var json = nameof(LogFormat.Json).Equals(server[nameof(ServerOptions.LogFormat)], StringComparison.OrdinalIgnoreCase);
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddSerilog(Create(debug, json), dispose: true);
    }

    private static Logger Create(bool debug, bool json)
    {
        var levels = new LoggerConfiguration()
            .MinimumLevel.Is(debug ? LogEventLevel.Debug : LogEventLevel.Information)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            // RunAsync words a failed start; the host would add a stack trace.
            .Filter.ByExcluding(entry => SourceOf(entry) == "Microsoft.Extensions.Hosting.Internal.Host" && entry.Exception is not null)
            // What a client is told of its own command; SignalR would call it an error of ours, with a stack trace.
            .Filter.ByExcluding(entry => entry.Exception is HubException)
            .Enrich.FromLogContext();
        if (json)
        {
            return levels.WriteTo.Console(new JsonFormatter(renderMessage: true)).CreateLogger();
        }

        return levels
            .WriteTo.Conditional(IsBanner, to => to.Console(outputTemplate: BannerTemplate, formatProvider: CultureInfo.InvariantCulture))
            .WriteTo.Conditional(IsNoBanner, to => to.Console(outputTemplate: LineTemplate, formatProvider: CultureInfo.InvariantCulture))
            .CreateLogger();
    }

    private static bool IsBanner(LogEvent entry) => SourceOf(entry) == typeof(StartBanner).FullName;

    private static bool IsNoBanner(LogEvent entry) => !IsBanner(entry);

    private static string? SourceOf(LogEvent entry) =>
        entry.Properties.GetValueOrDefault(Constants.SourceContextPropertyName) is ScalarValue { Value: string name } ? name : null;
}

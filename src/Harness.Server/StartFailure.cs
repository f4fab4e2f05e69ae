using System.Net.Sockets;
using Harness.Agents;
using Harness.Executions;
using Harness.Workflows;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>Words what keeps the server from starting, where its user can do something about it.</summary>
internal sealed partial class StartFailure(ILogger<StartFailure> logger)
{
    /// <summary>The process's exit code when the server did not start.</summary>
    public const int ExitCode = 1;

    /// <summary>One line on a configuration that cannot be used; null for a failure that only its stack trace explains.</summary>
    public static string? Describe(Exception failure) => failure switch
    {
        ServerStartException or AgentException or StoreException or WorkflowFormatException => failure.Message,
        OptionsValidationException invalid => $"The configuration is not valid: {string.Join(' ', invalid.Failures)}",
        InvalidOperationException { InnerException: FormatException or ArgumentException } => failure.Message,
        InvalidDataException { InnerException: FormatException } => $"{failure.Message} {failure.GetBaseException().Message}",
        _ => null,
    };

    /// <summary>As above, and on a port or address that cannot be had.</summary>
    public static string? Describe(Exception failure, IServiceProvider services) => failure switch
    {
        IOException { InnerException: AddressInUseException } => DescribeTaken(OptionsOf(services)),
        SocketException or IOException { InnerException: SocketException } => DescribeRefused(OptionsOf(services), failure),
        _ => Describe(failure),
    };

    /// <summary>Writes the line to the server's log.</summary>
    public void Write(string failure) => LogFailure(failure);

    private static string DescribeTaken(ServerOptions options) =>
        $"Port {options.Port} on {ListenAddress.HostOf(options)} is in use; choose another with --port, "
        + $"or stop what listens there (lsof -i :{options.Port})";

    private static string DescribeRefused(ServerOptions options, Exception failure) =>
        $"Cannot listen on port {options.Port} of {ListenAddress.HostOf(options)}: {failure.GetBaseException().Message}; "
        + "choose an address of this machine with --host, and a port you may use with --port";

    private static ServerOptions OptionsOf(IServiceProvider services) => services.GetRequiredService<IOptions<ServerOptions>>().Value;

    [LoggerMessage(1, LogLevel.Error, "{Failure}")]
    private partial void LogFailure(string failure);
}

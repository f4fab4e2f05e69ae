using System.ComponentModel.DataAnnotations;

namespace Harness.Server;

/// <summary>The web host and its limits, bound from the configuration section <c>Harness:Server</c>.</summary>
public sealed class ServerOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Harness:Server";

    /// <summary>The port to listen on; 0 for any free one. Default: 8080.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 8080;

    /// <summary>
    /// The address or name to listen on; <c>*</c> for all. Null or empty: only this machine (127.0.0.1) while there are no API keys, all
    /// addresses (0.0.0.0) with them.
    /// </summary>
    public string? Host { get; set; }

    /// <summary>Whether the log tells each request and other details. Default: false.</summary>
    public bool Debug { get; set; }

    /// <summary>Whether pages of other origins may read answers, as <see cref="CorsOrigins"/> says. Default: true.</summary>
    public bool Cors { get; set; } = true;

    /// <summary>
    /// Origins beside loopback ones whose pages may call the server, such as <c>https://app.example.com</c>; <c>*</c> for all. The host
    /// names in it may also be used to reach a server that listens only on loopback.
    /// </summary>
    [Required]
    public string[] CorsOrigins { get; set; } = [];

    /// <summary>Whether <c>/swagger/index.html</c> and <c>/swagger/doc.json</c> are served. Default: true.</summary>
    public bool Swagger { get; set; } = true;

    /// <summary>
    /// Keys of which every request but a health check has to bring one (<c>HARNESS_API_KEYS</c>); none: no key is asked for. Each plain, or
    /// as <c>sha256:</c> with 64 hexadecimal digits.
    /// </summary>
    [Required]
    public string[] ApiKeys { get; set; } = [];

    /// <summary>How the server's own log is written. Default: text.</summary>
    public LogFormat LogFormat { get; set; } = LogFormat.Text;

    /// <summary>Whether the kind <c>synthetic</c>, a load generator, can be executed. Default: false.</summary>
    public bool Synthetic { get; set; }

    /// <summary>Longest message accepted from a socket, in bytes: large suites are pasted whole. Default: 4 MiB.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxMessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Longest request body, in bytes; a longer one is answered with 413. Default: 4 MiB.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Longest time a stop waits for executions to end and for their results to be written. Default: 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ShutdownTimeLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often an open socket is pinged. Default: 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a socket may take to answer a ping before it is closed. One that still has much to read before it has longer: the time in which it reads that at 8 KiB
    /// a second. Default: 20 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan PongTimeLimit { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a socket may take no byte of what waits for it before it is closed. Default: 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan SlowClientTimeLimit { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Connections open at once: sockets, connections of the hub and streams of server-sent events together; a further one is refused.
    /// Default: 10,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxConnections { get; set; } = 10_000;

    /// <summary>Executions one socket may watch at once; a further <c>execute</c> is refused with an error. Default: 10,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxWatchesPerConnection { get; set; } = 10_000;

    /// <summary>Subscriptions one socket may have at once; a further <c>subscribe</c> is refused with an error. Default: 100.</summary>
    [Range(1, 1_000_000)]
    public int MaxSubscriptionsPerConnection { get; set; } = 100;

    /// <summary>
    /// Messages a second one connection of <c>/ws</c> or <c>/hub</c> may send on average, with ten seconds' worth at once; one that sends more is
    /// closed. Default: 5,000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxMessagesPerSecond { get; set; } = 5_000;
}

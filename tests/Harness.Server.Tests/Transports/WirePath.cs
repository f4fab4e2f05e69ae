using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Harness.Server.Tests.Transports;

/// <summary>The ways bytes of a socket can take between a client and the server.</summary>
public enum WirePath
{
    /// <summary>HTTP/1.1 over TCP: frames go straight to the system's socket.</summary>
    Plain,

    /// <summary>HTTP/1.1 over TLS.</summary>
    Tls,

    /// <summary>One of many streams of a connection with TLS, as browsers do it.</summary>
    Http2,

    /// <summary>One of many streams of a connection without TLS, as behind a proxy.</summary>
    PlainHttp2,

    /// <summary>HTTP/1.1 to nginx, and from there on.</summary>
    Proxy,
}

/// <summary>Servers and sockets for each of the paths.</summary>
internal static class WirePaths
{
    /// <summary>All of them.</summary>
    public static TheoryData<WirePath> All => [.. Enum.GetValues<WirePath>()];

    /// <summary>A server that can be reached this way.</summary>
    public static async Task<HarnessApp> StartAsync(this WirePath path, params (string Name, string? Value)[] settings)
    {
        if (path == WirePath.Proxy)
        {
            var behind = await HarnessApp.StartAsync(services => services.AddSingleton<NginxProxy>(), settings);
            await behind.Services.GetRequiredService<NginxProxy>().StartAsync(behind.Address);
            return behind;
        }

        if (path != WirePath.PlainHttp2)
        {
            return await TlsApp.StartAsync(settings);
        }

        var app = await HarnessApp.StartAsync(SpeakHttp2, settings);
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return app;
    }

    /// <summary>A socket to such a server, by this way.</summary>
    public static Task<RawSocket> ConnectAsync(this WirePath path, HarnessApp app, int receiveBuffer = 0, string route = "/ws") => path switch
    {
        WirePath.Plain => RawSocket.ConnectAsync(TlsApp.AddressOf(app, overTls: false), receiveBuffer, path: route),
        WirePath.Tls => RawSocket.ConnectAsync(TlsApp.AddressOf(app), receiveBuffer, path: route),
        WirePath.Http2 => RawSocket.ConnectOverHttp2Async(TlsApp.AddressOf(app), route),
        WirePath.Proxy => RawSocket.ConnectAsync(app.Services.GetRequiredService<NginxProxy>().Address, receiveBuffer, path: route),
        _ => RawSocket.ConnectOverHttp2Async(app.Address, route),
    };

    /// <summary>Kestrel cannot negotiate HTTP/2 on a plain port: this one speaks nothing else, as is said to be right behind a proxy.</summary>
    /// <remarks>First of all, because the server's own configuration makes the endpoint.</remarks>
    public static void SpeakHttp2(IServiceCollection services) => services.Insert(
        0,
        ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>>(new ConfigureOptions<KestrelServerOptions>(
            kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2))));
}

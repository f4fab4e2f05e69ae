using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Harness.Server.Tests.Transports;

/// <summary>A server that listens twice: plainly, where frames go straight to the socket, and with TLS, where they cannot.</summary>
internal static class TlsApp
{
    private static readonly Lazy<X509Certificate2> Certificate = new(CreateCertificate);

    public static Task<HarnessApp> StartAsync(params (string Name, string? Value)[] settings) => StartAsync((_, useTls) => useTls(), settings);

    /// <summary>As the other, with a word on the endpoint.</summary>
    /// <param name="configure">Is to call the second argument, which adds TLS.</param>
    /// <param name="settings">As for <see cref="HarnessApp"/>.</param>
    public static Task<HarnessApp> StartAsync(Action<ListenOptions, Action> configure, params (string Name, string? Value)[] settings) =>
        HarnessApp.StartAsync(
            services => services.Configure<KestrelServerOptions>(kestrel => kestrel.Listen(
                IPAddress.Loopback, 0, endpoint => configure(endpoint, () => endpoint.UseHttps(Certificate.Value)))),
            settings);

    /// <summary>Where it listens with TLS.</summary>
    public static Uri AddressOf(HarnessApp app) => AddressOf(app, overTls: true);

    public static Uri AddressOf(HarnessApp app, bool overTls) => app.Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.Select(address => new Uri(address)).Single(address => address.Scheme == "https" == overTls);

    public static bool IsItsOwn(X509Certificate? certificate) =>
        certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(Certificate.Value.RawData);

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

        // A key that has only been in memory cannot be used for TLS on every system.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}

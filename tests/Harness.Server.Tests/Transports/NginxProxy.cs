using System.Diagnostics;
using Harness.Server.Tests.Cli;
using Harness.Server.Tests.Clients;
using Harness.Storage.Tests;

namespace Harness.Server.Tests.Transports;

/// <summary>A proxy in front of a server, configured as docs/protocol.md says.</summary>
internal sealed class NginxProxy : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harness-nginx-").FullName;
    private Process? _nginx;
    private Task<string> _errors = Task.FromResult("");

    /// <summary>Where clients go instead of to the server.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Begins to listen.</summary>
    /// <param name="server">What is behind it.</param>
    /// <returns>Its <see cref="Address"/>.</returns>
    public async Task<Uri> StartAsync(Uri server)
    {
        var nginx = ClientTools.Nginx();
        Address = new Uri($"http://127.0.0.1:{PostgresCluster.FreePort()}");
        var configuration = Path.Combine(_folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, await ConfigurationAsync(server), TestContext.Current.CancellationToken);
        _nginx = Process.Start(new ProcessStartInfo(nginx, ["-p", _folder, "-e", "stderr", "-c", configuration]) { RedirectStandardError = true })!;

        // It says so when its port is open.
        string? line;
        do
        {
            line = await _nginx.StandardError.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(1));
            Assert.False(line is null || line.Contains("[emerg]", StringComparison.Ordinal), $"nginx does not start: {line}");
        }
        while (!line.Contains("event method", StringComparison.Ordinal));
        _errors = _nginx.StandardError.ReadToEndAsync(CancellationToken.None);
        return Address;
    }

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null)
        {
            _nginx.Kill();
            await _nginx.WaitForExitAsync();
            await _errors;
            _nginx.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> ConfigurationAsync(Uri server)
    {
        var manual = await File.ReadAllTextAsync(Repository.File("docs", "protocol.md"), TestContext.Current.CancellationToken);
        var shown = manual.Split("```nginx")[1].Split("```")[0]
            .Replace("listen 80;", $"listen 127.0.0.1:{Address.Port};", StringComparison.Ordinal)
            .Replace("http://127.0.0.1:8080", server.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
        return $$"""
            daemon off;
            master_process off;
            pid nginx.pid;
            error_log stderr notice;
            events {
            }
            http {
                access_log off;
                client_body_temp_path body;
                proxy_temp_path proxy;
                fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi;
                scgi_temp_path scgi;
            {{shown}}
            }
            """;
    }
}

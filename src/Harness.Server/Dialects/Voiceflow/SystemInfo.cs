using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>Version and platform, in the words of the seed's server.</summary>
internal static class SystemInfo
{
    // Old clients read this member and some compare its form; the truth is in "runtime".
    private const string GoVersion = "go1.20.0";

    private static readonly SystemInfoResponse Response = new(
        ProductVersion.Current, GoVersion, OS, Arch, RuntimeInformation.FrameworkDescription, "Harness");

    private static string OS =>
        OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : OperatingSystem.IsFreeBSD() ? "freebsd" : "linux";

    private static string Arch => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    };

    // No documentation comment: in OpenAPI documents that would take the place of the route's own summary.
    public static JsonHttpResult<SystemInfoResponse> Get() => TypedResults.Json(Response);
}

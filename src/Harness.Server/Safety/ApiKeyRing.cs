using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Harness.Server.Safety;

/// <summary>The server's API keys, of which it keeps only SHA-256 hashes. Thread-safe.</summary>
internal sealed class ApiKeyRing
{
    private const string Prefix = "sha256:";

    private readonly byte[][] _hashes;

    /// <summary>Takes the keys of the options.</summary>
    public ApiKeyRing(IOptions<ServerOptions> options) =>
        _hashes = [.. options.Value.ApiKeys.Where(key => key.Length > 0).Select(HashOf)];

    /// <summary>Whether no key is asked for.</summary>
    public bool IsEmpty => _hashes.Length == 0;

    /// <summary>A key in the form that may be kept; one that has it already, or tries to, stays as it is.</summary>
    public static string Conceal(string key) =>
        HasPrefix(key) ? key : Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>Whether a key can be taken: what has the prefix of a concealed one is one, or its owner would be refused with the plain one.</summary>
    public static bool IsUsable(string key) =>
        !HasPrefix(key)
        || (key.Length == Prefix.Length + (2 * SHA256.HashSizeInBytes) && key[Prefix.Length..].All(char.IsAsciiHexDigit));

    /// <summary>Whether it is one of the keys. Takes the same time whichever it is, and if it is none.</summary>
    public bool Accepts(string key)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));
        var accepted = false;
        foreach (var known in _hashes)
        {
            accepted |= CryptographicOperations.FixedTimeEquals(hash, known);
        }

        return accepted;
    }

    private static byte[] HashOf(string key) => Convert.FromHexString(Conceal(key)[Prefix.Length..]);

    private static bool HasPrefix(string key) => key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
}

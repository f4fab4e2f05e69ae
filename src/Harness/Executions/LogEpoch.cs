using System.Security.Cryptography;

namespace Harness.Executions;

/// <summary>Identities of logs (PROTOCOL, "Epoch"): a store has one, and without a store a process has.</summary>
public static class LogEpoch
{
    /// <summary>A new one: six letters and digits, enough that no client meets the same twice, and short, since every server-sent event carries it.</summary>
    public static string New() => string.Create(6, 0, (text, _) => RandomNumberGenerator.GetItems("abcdefghjkmnpqrstuvwxyz23456789", text));
}

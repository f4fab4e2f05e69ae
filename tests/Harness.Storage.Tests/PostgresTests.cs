namespace Harness.Storage.Tests;

/// <summary>Tests that share the one cluster, one after another: some of them stop it.</summary>
internal static class PostgresTests
{
    public const string Collection = "PostgreSQL";
}

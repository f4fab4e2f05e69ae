namespace Harness.Server.Tests;

/// <summary>A fault of the server in whatever looks at the time.</summary>
internal sealed class BrokenClock : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => throw new InvalidOperationException("The spring is broken");
}

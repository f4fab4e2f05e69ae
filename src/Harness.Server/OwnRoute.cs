namespace Harness.Server;

/// <summary>Metadata of every route of Harness: those without it are the program's own, which the start banner lists.</summary>
internal sealed record OwnRoute;

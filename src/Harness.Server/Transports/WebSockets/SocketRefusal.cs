namespace Harness.Server.Transports.WebSockets;

/// <summary>Why a socket is closed as soon as it is open.</summary>
/// <param name="Code">The close frame's code.</param>
/// <param name="Reason">Its text, of 123 bytes at most.</param>
internal sealed record SocketRefusal(int Code, string Reason);

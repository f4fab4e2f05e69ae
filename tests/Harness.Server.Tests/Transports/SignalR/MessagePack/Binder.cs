using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Tests.Transports.SignalR.MessagePack;

/// <summary>Every method has these parameters, every result and item the first one's type.</summary>
internal sealed class Binder(params Type[] types) : IInvocationBinder
{
    public Type GetReturnType(string invocationId) => types[0];

    public IReadOnlyList<Type> GetParameterTypes(string methodName) => types;

    public Type GetStreamItemType(string streamId) => types[0];
}

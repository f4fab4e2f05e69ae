namespace Harness.Server { internal static class ServerOptions { public const string Section = "Harness:Server"; }
internal static class HarnessServer { public static WebApplication Create(string[] args, IReadOnlyDictionary<string,string?> s) { foreach (var p in s) { Console.WriteLine(p); } return WebApplication.CreateBuilder(args).Build(); } public static Task<int> RunAsync(WebApplication app) => Task.FromResult(0); } }
namespace Harness.Agents { internal static class AgentEnvironment { public static Dictionary<string,string?> Read() => []; } }
namespace Harness.Cli.Runs { internal static class SuiteRequestWriter { public static ReadOnlyMemory<byte> Write(Harness.Suites.Suite s) => "{\"suite\":{\"name\":\"x\"}}"u8.ToArray(); } }

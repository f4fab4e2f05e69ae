using Harness.Server;

return await HarnessServer.RunAsync(args);

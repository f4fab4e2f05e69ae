using Harness.Server;

var app = HarnessServer.Create(args);
return await HarnessServer.RunAsync(app);

using Harness.Cli;

return await HarnessCommand.InvokeAsync(args);

using Harness.Generations;
using Harness.Server.Tests.Dialects.VoltAgent.Workflows;
using Harness.Workflows;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Harness.Server.Tests;

public sealed class StartBannerTests
{
    [Fact]
    public async Task AgentsAndWorkflowsAreListedWithTheirRoutes()
    {
        await using var app = await HarnessApp.StartAsync(services => services.AddHarness()
            .AddAgent(new AgentDefinition { Id = "desk" }).AddWorkflow(WorkflowApp.Approval()));

        var url = app.Address.ToString().TrimEnd('/');
        Assert.Contains($"Information Agent demo: POST {url}/agents/demo/{{text|stream|object|stream-object}}", app.Log.Lines);
        Assert.Contains($"Information Agent desk: POST {url}/agents/desk/{{text|stream|object|stream-object}}", app.Log.Lines);
        Assert.Contains($"Information Workflow order-approval: POST {url}/workflows/order-approval/{{execute|stream}}", app.Log.Lines);
        Assert.DoesNotContain(app.Log.Lines, line => line.Contains(" more: GET ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://harness.test:8080", "ws://harness.test:8080/ws")]
    [InlineData("https://harness.test:8443", "wss://harness.test:8443/ws")]
    public async Task WebSocketHasTheSchemeThatGoesWithTheAddress(string address, string socket)
    {
        await using var app = await HarnessApp.StartAsync();
        using var server = new ServerAt(address);

        ActivatorUtilities.CreateInstance<StartBanner>(app.Services, server).Write();

        Assert.Contains($"Information WebSocket endpoint available at {socket}", app.Log.Lines);
    }

    [Fact]
    public async Task OfManyTheFirstTenAreListedAndTheOthersCounted()
    {
        await using var app = await HarnessApp.StartAsync(services =>
        {
            foreach (var number in Enumerable.Range(1, 12))
            {
                services.AddHarness().AddAgent(new AgentDefinition { Id = $"a{number:00}" });
                services.AddWorkflow(Workflow.Begin<int>($"w{number:00}").AndThen("same", (value, _, _) => Task.FromResult(value)).End());
            }
        });

        var named = app.Log.Lines.Where(line => line.Contains(": POST http", StringComparison.Ordinal)).ToList();
        Assert.Equal(10, named.Count(line => line.StartsWith("Information Agent a", StringComparison.Ordinal)));
        Assert.Equal(10, named.Count(line => line.StartsWith("Information Workflow w", StringComparison.Ordinal)));
        Assert.Contains($"Information and 3 more: GET {app.Address}agents", app.Log.Lines);
        Assert.Contains($"Information and 2 more: GET {app.Address}workflows", app.Log.Lines);
    }

    private sealed class ServerAt : IServer
    {
        public ServerAt(string address) => Features.Set<IServerAddressesFeature>(new ServerAddressesFeature { Addresses = { address } });

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}

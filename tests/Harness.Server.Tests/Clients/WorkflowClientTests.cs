namespace Harness.Server.Tests.Clients;

/// <summary>Clients of workflows, on a server that has those of samples/workflows.</summary>
public sealed class WorkflowClientTests(HubFixture hub)
{
    [Fact]
    public async Task WorkflowClientOfTheSeedRunsUnmodified()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.Node(), ClientTools.ClientFile("workflow_client.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.Contains("Workflow suspended: Waiting for manager approval", output);
        Assert.Contains("Manager approved the order", output);
        Assert.Contains("status: 'completed'", output);
        Assert.Contains("processedBy: 'mgr-456'", output);
        Assert.Contains("order-approval 3 idle", output);
        Assert.Contains(
            """Small order: completed {"orderId":"order-1","amount":10,"summary":"Order order-1 of 10","approved":true,"managerId":"system","processedBy":"system"}""",
            output);
        Assert.Contains("Refused: Workflow not found", output);
        Assert.Contains("Refused: Invalid input: input.amount is missing", output);
        Assert.Contains("Refused: Cannot suspend workflow in completed state", output);
        Assert.Contains("Refused: Execution ID is not in suspended state. Current status: completed", output);
    }

    [Fact]
    public async Task CurlExampleOfTheSeedIsAnswered()
    {
        const string Command = """
            curl -s -X POST http://localhost:8080/workflows/order-approval/execute \
            -H "Content-Type: application/json" \
            -d '{
            "input": {
            "orderId": "order-123",
            "amount": 5000,
            "items": ["laptop", "mouse", "keyboard"]
            },
            "options": {
            "userId": "user-456",
            "conversationId": "conv-789"
            }
            }'
            """;

        var (exitCode, output) = await hub.RunAsync(ClientTools.Curl(), "-c", Command);

        Assert.True(exitCode == 0, output);
        Assert.StartsWith("{\"success\":true,\"data\":{\"executionId\":\"", output);
        Assert.Contains("\"status\":\"suspended\",\"result\":null,\"suspension\":{\"suspendedAt\":", output);
    }
}

// The seed's WorkflowClient and its example, to the letter. HARNESS_HTTP is the server; the example's five seconds are not waited for.
const API_BASE = process.env.HARNESS_HTTP ?? "http://localhost:3141";
const setTimeout = (callback) => queueMicrotask(callback);

class WorkflowClient {
// List available workflows
async listWorkflows() {
const response = await fetch(`${API_BASE}/workflows`);
const result = await response.json();
return result.data;
}
// Execute a workflow
async executeWorkflow(workflowId, input, options = {}) {
const response = await fetch(`${API_BASE}/workflows/${workflowId}/execute`, {
method: "POST",
headers: { "Content-Type": "application/json" },
body: JSON.stringify({ input, options }),
});
const result = await response.json();
if (!result.success) {
throw new Error(result.error);
}
return result.data;
}
// Suspend a running workflow
async suspendWorkflow(workflowId, executionId, reason) {
const response = await fetch(
`${API_BASE}/workflows/${workflowId}/executions/${executionId}/suspend`,
{
method: "POST",
headers: { "Content-Type": "application/json" },
body: JSON.stringify({ reason }),
}
);
const result = await response.json();
if (!result.success) {
throw new Error(result.error);
}
return result.data;
}
// Resume a suspended workflow
async resumeWorkflow(workflowId, executionId, resumeData, stepId) {
const body = { resumeData };
if (stepId) {
body.options = { stepId };
}
const response = await fetch(
`${API_BASE}/workflows/${workflowId}/executions/${executionId}/resume`,
{
method: "POST",
headers: { "Content-Type": "application/json" },
body: JSON.stringify(body),
}
);
const result = await response.json();
if (!result.success) {
throw new Error(result.error);
}
return result.data;
}
}
// Usage example
async function handleOrderApproval() {
const client = new WorkflowClient();
try {
// 1. Start the workflow
console.log("Starting order approval workflow...");
const execution = await client.executeWorkflow(
"order-approval",
{
orderId: "order-789",
amount: 15000,
customerType: "premium",
},
{
userId: "user-123",
userContext: { department: "sales" },
}
);
console.log("Execution ID:", execution.executionId);
// 2. Check if workflow is suspended
if (execution.status === "suspended") {
console.log("Workflow suspended:", execution.suspension.reason);
// 3. Simulate manager approval after 5 seconds
setTimeout(async () => {
console.log("Manager approved the order");
const result = await client.resumeWorkflow("order-approval", execution.executionId, {
approved: true,
managerId: "mgr-456",
comments: "Approved for VIP customer",
});
console.log("Final result:", result);
}, 5000);
} else {
console.log("Workflow completed immediately:", execution.result);
}
} catch (error) {
console.error("Workflow error:", error.message);
}
}
// Run the example
handleOrderApproval();

// What the seed only describes.
const client = new WorkflowClient();
const workflows = await client.listWorkflows();
console.log("Workflows:", workflows.map((workflow) => `${workflow.id} ${workflow.stepsCount} ${workflow.status}`).join(", "));
const small = await client.executeWorkflow("order-approval", { orderId: "order-1", amount: 10 });
console.log("Small order:", small.status, JSON.stringify(small.result));
for (const refused of [
  () => client.executeWorkflow("nowhere", {}),
  () => client.executeWorkflow("order-approval", { orderId: "order-2" }),
  () => client.suspendWorkflow("order-approval", small.executionId, "too late"),
  () => client.resumeWorkflow("order-approval", small.executionId, { approved: true }),
]) {
  await refused().catch((error) => console.log("Refused:", error.message.replace(small.executionId, "ID")));
}

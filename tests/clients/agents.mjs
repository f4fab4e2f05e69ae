// The fetch examples of the VoltAgent Core API, as they stand there. HARNESS_HTTP is the server in place of theirs.
const base = process.env.HARNESS_HTTP ?? "http://localhost:8080";
const realFetch = globalThis.fetch;
globalThis.fetch = (url, options) => realFetch(new URL(url.replace("http://localhost:3141", ""), base), options);

await readStream();
await abortStream();

async function readStream() {
// Fetch-based SSE streaming (supports POST with request body)
const streamUrl = "/agents/your-agent-id/stream";
const response = await fetch(streamUrl, {
method: "POST",
headers: {
"Content-Type": "application/json",
},
body: JSON.stringify({
input: "Tell me a joke!",
options: { temperature: 0.7, maxTokens: 100 },
}),
});
if (!response.ok) {
throw new Error(`Stream request failed: ${response.status}`);
}
const reader = response.body.getReader();
const decoder = new TextDecoder();
let buffer = "";
while (true) {
const { done, value } = await reader.read();
if (done) break;
buffer += decoder.decode(value, { stream: true });
const lines = buffer.split("\n\n");
buffer = lines.pop() || "";
for (const line of lines) {
if (line.startsWith("data: ")) {
try {
const data = JSON.parse(line.substring(6));
switch (data.type) {
case "text":
// Handle text chunk
console.log("Text:", data.text);
break;
case "object":
// Handle object chunk
console.log("Object:", data.object);
break;
case "error":
// Handle error
console.error("Stream error:", data.error);
console.error("Error code:", data.code);
return; // Exit on error
case "completion":
// Handle completion
console.log("Stream completed successfully");
return;
}
} catch (error) {
console.error("Error parsing SSE data:", error);
}
}
}
}
}

async function abortStream() {
// Create AbortController
const abortController = new AbortController();
// Stream request with abort signal
const response = await fetch("http://localhost:3141/agents/my-agent/stream", {
method: "POST",
headers: { "Content-Type": "application/json" },
body: JSON.stringify({
input: "Write a very long story...",
options: { maxTokens: 4000 },
}),
signal: abortController.signal, // ✅ Automatic cancellation
});
const id = response.headers.get("x-execution-id");
const watcher = await fetch(`/agents/my-agent/executions/${id}/stream`);
const reader = response.body.getReader();
await reader.read();
abortController.abort();
try {
while (!(await reader.read()).done);
} catch (error) {
if (error.name === "AbortError") {
console.log("Request was cancelled");
}
}
const seen = await watcher.text();
console.log("Watcher saw:", JSON.parse(seen.trim().split("data: ").pop()).code);
}

#!/usr/bin/env bash
# The curl examples of the VoltAgent Core API, as they stand there. HARNESS_HTTP is the server in place of theirs.
set -euo pipefail

curl() { command curl -fsS "${@//http:\/\/localhost:3141/${HARNESS_HTTP:-http://localhost:8080}}"; echo; }
export -f curl

curl http://localhost:3141/agents

curl -X POST http://localhost:3141/agents/your-agent-id/text \
-H "Content-Type: application/json" \
-d '{ "input": "Tell me a joke!" }'

curl -X POST http://localhost:3141/agents/your-agent-id/text \
-H "Content-Type: application/json" \
-d '{ "input": "Tell me a joke!", "options": { "userId": "user-123", "conversationId": "your-unique-conversation-id" } }'

curl -X POST http://localhost:3141/agents/your-agent-id/text \
-H "Content-Type: application/json" \
-d '{ "input": "Use tools to research and analyze this topic", "options": { "maxSteps": 5, "temperature": 0.7 } }'

curl -N -X POST http://localhost:3141/agents/your-agent-id/stream \
-H "Content-Type: application/json" \
-d '{ "input": "Tell me a joke!" }'

curl -N -X POST http://localhost:3141/agents/your-agent-id/stream \
-H "Content-Type: application/json" \
-d '{ "input": "Tell me a joke!", "options": { "userId": "user-123", "conversationId": "your-unique-conversation-id" } }'

curl -N -X POST http://localhost:3141/agents/supervisor-agent-id/stream \
-H "Content-Type: application/json" \
-d '{ "input": "Coordinate research and writing workflow", "options": { "maxSteps": 15, "temperature": 0.8 } }'

curl -X POST http://localhost:3141/agents/your-agent-id/object \
-H "Content-Type: application/json" \
-d '{ "input": "Extract the name and age from: John Doe is 30 years old.", "schema": {"type":"object", "properties": {"name": {"type": "string"}, "age": {"type": "number"}}, "required": ["name", "age"]} }'

curl -X POST http://localhost:3141/agents/your-agent-id/object \
-H "Content-Type: application/json" \
-d '{ "input": "Extract the name and age from: John Doe is 30 years old.", "schema": {"type":"object", "properties": {"name": {"type": "string"}, "age": {"type": "number"}}, "required": ["name", "age"]}, "options": { "userId": "user-123", "conversationId": "your-unique-conversation-id" } }'

curl -N -X POST http://localhost:3141/agents/your-agent-id/stream-object \
-H "Content-Type: application/json" \
-d '{ "input": "Generate user profile: Name: Alice, City: Wonderland", "schema": {"type":"object", "properties": {"name": {"type": "string"}, "city": {"type": "string"}}, "required": ["name", "city"]} }'

curl -N -X POST http://localhost:3141/agents/your-agent-id/stream-object \
-H "Content-Type: application/json" \
-d '{ "input": "Generate user profile: Name: Alice, City: Wonderland", "schema": {"type":"object", "properties": {"name": {"type": "string"}, "city": {"type": "string"}}, "required": ["name", "city"]}, "options": { "userId": "user-123", "conversationId": "your-unique-conversation-id" } }'

curl -X POST http://localhost:3141/agents/dynamic-agent/text \
-H "Content-Type: application/json" \
-d '{
"input": "I need help with system administration",
"options": {
"userContext": {
"role": "admin",
"language": "English",
"tier": "enterprise"
},
"temperature": 0.8
}
}'

curl -N -X POST http://localhost:3141/agents/dynamic-agent/stream \
-H "Content-Type: application/json" \
-d '{
"input": "What are my available options?",
"options": {
"userContext": {
"role": "customer",
"language": "French",
"tier": "basic"
}
}
}'

curl -X POST http://localhost:3141/agents/dynamic-agent/object \
-H "Content-Type: application/json" \
-d '{
"input": "Extract user information from: John is a premium admin from TechCorp",
"schema": {
"type": "object",
"properties": {
"name": {"type": "string"},
"role": {"type": "string"},
"tier": {"type": "string"}
}
},
"options": {
"userContext": {
"extractionMode": "detailed",
"language": "English"
}
}
}'

# A client that gives up: what it asked for is cancelled.
timeout 1s bash -c 'curl -N -X POST http://localhost:3141/agents/your-agent-id/stream \
-H "Content-Type: application/json" \
-d "{ \"input\": \"Write a very long story...\", \"options\": { \"maxTokens\": 4000 } }"' || echo "gave up"
until curl http://localhost:3141/agents/your-agent-id/history | grep -q '"status":"cancelled"'; do :; done
echo "done"

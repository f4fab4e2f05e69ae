#!/usr/bin/env bash
# The seed's REST calls, with curl. HARNESS_HTTP is the server.
set -euo pipefail
base=${HARNESS_HTTP:-http://localhost:8080}

curl -fsS "$base/health"
echo

answer=$(curl -fsS -X POST "$base/api/v1/tests/execute" \
  -H "Content-Type: application/json" \
  -d '{
    "api_key": "your_api_key (optional)",
    "suite": {
      "name": "Example Suite",
      "description": "Suite used as an example",
      "environment_name": "production",
      "tests": [
        {
          "id": "test_1",
          "test": {
            "name": "Example test",
            "description": "These are some tests",
            "interactions": [
              {
                "id": "test_1_1",
                "user": {
                  "type": "text",
                  "text": "hi"
                },
                "agent": {
                  "validate": [
                    {
                      "type": "contains",
                      "value": "hello"
                    }
                  ]
                }
              }
            ]
          }
        }
      ]
    }
  }')
echo "$answer"

id=$(grep -o '"id":"[^"]*"' <<<"$answer" | head -n 1 | cut -d '"' -f 4)
until status=$(curl -fsS "$base/api/v1/tests/status/$id") && ! grep -q '"status":"running"' <<<"$status"; do :; done
echo "$status"

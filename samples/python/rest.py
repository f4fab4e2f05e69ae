"""Starts a suite over REST and polls for its end. Needs nothing but Python: urllib does what `requests` would."""
import json
import os
import sys
import time
import urllib.request

BASE = os.environ.get('HARNESS_HTTP', 'http://localhost:8080')
KEY = os.environ.get('HARNESS_API_KEY')
HEADERS = {'Content-Type': 'application/json', **({'Authorization': f'Bearer {KEY}'} if KEY else {})}


def call(path, body=None):
    request = urllib.request.Request(
        BASE + path,
        data=None if body is None else json.dumps(body).encode(),
        headers=HEADERS)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


# Execute a test suite
execution = call('/api/v1/tests/execute', {
    'suite': {
        'name': 'Example Suite',
        'description': 'Suite used as an example',
        'environment_name': 'production',
        'tests': [
            {
                'id': 'test_1',
                'test': {
                    'name': 'Example test',
                    'description': 'These are some tests',
                    'interactions': [
                        {
                            'id': 'test_1_1',
                            'user': {'type': 'text', 'text': 'hi'},
                            'agent': {'validate': [{'type': 'contains', 'value': 'hello'}]},
                        }
                    ],
                },
            }
        ],
    }
})
print(f"Execution ID: {execution['id']}")

# Poll for completion
while True:
    status = call(f"/api/v1/tests/status/{execution['id']}")
    print(f"Status: {status['status']}")

    if status['status'] in ['completed', 'failed', 'cancelled']:
        print("Logs:")
        for log in status['logs']:
            print(f"  {log}")
        sys.exit(0 if status['status'] == 'completed' else 1)

    time.sleep(0.2)

import asyncio
import json
import os
import sys
import websockets

URL = os.environ.get('HARNESS_WS', 'ws://localhost:8080/ws')
KEY = os.environ.get('HARNESS_API_KEY')
# Before version 14 of the package the argument had another name.
HEADERS = 'additional_headers' if int(websockets.__version__.split('.')[0]) >= 14 else 'extra_headers'
OPTIONS = {HEADERS: {'Authorization': f'Bearer {KEY}'}} if KEY else {}

async def run_tests():
    async with websockets.connect(URL, **OPTIONS) as ws:
        # Execute a test suite
        await ws.send(json.dumps({
            'action': 'execute',
            'data': {
                'api_key': 'your_api_key',
                'suite': {
                    'name': 'Example Suite',
                    'description': 'Test',
                    'environment_name': 'production',
                    'tests': [{
                        'id': 'test_1',
                        'test': {
                            'name': 'Example test',
                            'description': 'Test',
                            'interactions': [{
                                'id': 't1',
                                'user': {'type': 'text', 'text': 'hi'},
                                'agent': {'validate': [{'type': 'contains', 'value': 'hello'}]}
                            }]
                        }
                    }]
                }
            }
        }))

        # Read messages until execution completes
        async for message in ws:
            msg = json.loads(message)
            if msg['type'] == 'log':
                print(f"[LOG] {msg['message']}")
            elif msg['type'] == 'result':
                print(f"[RESULT] {msg['data']}")
                return msg['data']['status'] == 'completed'
            elif msg['type'] == 'error':
                print(f"[ERROR] {msg['message']}")
                return False

        print('The connection was closed before the result')
        return False

sys.exit(0 if asyncio.run(run_tests()) else 1)

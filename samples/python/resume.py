"""Watches an execution to its end and survives lost connections: python3 resume.py [ID]. Without an id it starts the example.

Every event has a number. After a lost connection we ask for the first one we have not seen, so no line is missing and none comes twice.
"""
import asyncio
import json
import os
import random
import sys
import uuid

import websockets

URL = os.environ.get('HARNESS_WS', 'ws://localhost:8080/ws')
KEY = os.environ.get('HARNESS_API_KEY')
# Before version 14 of the package the argument had another name.
HEADERS = 'additional_headers' if int(websockets.__version__.split('.')[0]) >= 14 else 'extra_headers'
OPTIONS = {HEADERS: {'Authorization': f'Bearer {KEY}'}} if KEY else {}

LONGEST_WAIT = 8  # seconds
NO_KEY, TOO_MANY, FOREIGN_PAGE = 4503, 4504, 4505

EXAMPLE = {
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
                    'agent': {'validate': [{'type': 'contains', 'value': 'hello'}]},
                }],
            },
        }],
    },
}


class Watch:
    """One execution, watched over as many connections as it takes."""

    def __init__(self, execution_id):
        self.id = execution_id
        self.key = str(uuid.uuid4())
        self.next = 1
        self.epoch = None
        self.tries = 0

    async def run(self):
        """Returns the result's data."""
        while True:
            try:
                async with websockets.connect(URL, max_size=None, **OPTIONS) as ws:
                    if self.id is None:
                        self.id = await self.start(ws)
                    return await self.follow(ws)
            except (OSError, asyncio.TimeoutError, websockets.ConnectionClosed, websockets.InvalidHandshake) as lost:
                closed = getattr(lost, 'rcvd', None)
                code = closed.code if closed else None
                why = f'{closed.code} {closed.reason}' if closed else str(lost) or type(lost).__name__
                if code in (NO_KEY, FOREIGN_PAGE) or why.endswith(('HTTP 401', 'HTTP 403')):
                    sys.exit(why)  # No key, or a wrong one: no other try will do better.
                if self.tries == 10:
                    sys.exit(f'{why}: given up')
                # Twice as long every time, and never exactly that long: not all clients of a restarted server at once.
                wait = LONGEST_WAIT if code == TOO_MANY else min(0.25 * 2 ** self.tries, LONGEST_WAIT)
                wait *= random.uniform(0.5, 1)
                self.tries += 1
                print(f'[LOST] {why}: again in {wait:.1f} s, from event {self.next}', flush=True)
                await asyncio.sleep(wait)

    async def start(self, ws):
        # With the same key a second try gets the execution that the first one started.
        await ws.send(json.dumps({'action': 'execute', 'data': EXAMPLE, 'idempotency_key': self.key, 'watch': False}))
        answer = json.loads(await ws.recv())
        if answer['type'] == 'error':
            sys.exit(answer['message'])
        return answer['id']

    async def follow(self, ws):
        await ws.send(json.dumps({'action': 'subscribe', 'id': self.id, 'from': self.next, 'epoch': self.epoch, 'events': True}))
        while True:
            event = json.loads(await ws.recv())  # Raises when the connection is closed, however politely.
            if event['type'] == 'error':
                sys.exit(event['message'])
            elif event['type'] == 'subscribed':
                if self.epoch not in (None, event['epoch']):
                    self.next = 1  # The server lost that log; this is another one.
                self.epoch = event['epoch']
            elif event['type'] == 'truncated':
                print(f"[GONE] events {event['from']} to {event['to']} are no longer kept", flush=True)
                self.next = max(self.next, event['to'] + 1)
            elif event.get('seq', 0) >= self.next:
                self.next = event['seq'] + 1
                self.tries = 0
                if event['type'] == 'log':
                    print(f"[{event['seq']}] {event['message']}", flush=True)
                elif event['type'] == 'result':
                    return event['data']


try:
    result = asyncio.run(Watch(sys.argv[1] if len(sys.argv) > 1 else None).run())
    print(f"[RESULT] {result['status']}")
    sys.exit(0 if result['status'] == 'completed' else 1)
except KeyboardInterrupt:
    sys.exit(130)

"""A run whose lines are far more than websockets takes in one message by default (1 MiB): its result is read all the same."""
import asyncio
import json
import os

import websockets

LINES = 20_000


async def main():
    async with websockets.connect(os.environ['HARNESS_WS']) as socket:
        await socket.send(json.dumps({'action': 'execute', 'kind': 'synthetic', 'data': {'lines': LINES, 'size': 200}}))
        lines = 0
        while True:
            frame = json.loads(await asyncio.wait_for(socket.recv(), 60))
            assert frame['type'] != 'error', frame
            lines += frame['type'] == 'log'
            if frame['type'] == 'result':
                break
        data = frame['data']
        assert lines == LINES, lines
        assert data['logs_truncated'] is True and 0 < len(data['logs']) < LINES, data['logs_from']
        print('ok', data['status'])


asyncio.run(main())

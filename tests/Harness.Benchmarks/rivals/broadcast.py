"""Python with the package websockets on asyncio: each line is encoded once and broadcast.

python3 broadcast.py PORT
"""
import asyncio
import json
import sys
import time
import uuid
from datetime import datetime, timezone

import websockets

BURST = 64
MUCH = 1 << 20
REST = "x" * 79
runs = {}


def event(run, kind, seq, message=None):
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return json.dumps({"type": kind, "id": run["id"], "message": message, "seq": seq, "ts": now}, separators=(",", ":"))


async def drained(run):
    for peer in run["peers"]:
        while peer.open and peer.transport.get_write_buffer_size() > MUCH:
            await asyncio.sleep(0)


async def write(run):
    lines, rate = run["data"]["lines"], run["data"]["rate"]
    began, written = time.perf_counter(), 0
    while written < lines:
        due = min(lines, int((time.perf_counter() - began) * rate) if rate > 0 else written + BURST)
        while written < due:
            stamp = time.monotonic_ns() if rate > 0 else 0
            websockets.broadcast(run["peers"], event(run, "log", written + 2, f"T={stamp:019}{REST}"))
            written += 1
        if rate > 0:
            await asyncio.sleep(0.001)
        else:
            await drained(run)
            await asyncio.sleep(0)
    websockets.broadcast(run["peers"], event(run, "result", lines + 2))
    del runs[run["id"]]


async def handle(peer, path=None):
    writers = []
    async for text in peer:
        command = json.loads(text)
        if command["action"] == "execute":
            run = {"id": str(uuid.uuid4()), "data": command["data"], "peers": []}
            runs[run["id"]] = run
        else:
            run = runs[command["id"]]
        await peer.send(event(run, "status", 1, "running"))
        run["peers"].append(peer)
        if len(run["peers"]) == run["data"]["watchers"]:
            writers.append(asyncio.ensure_future(write(run)))


async def main():
    async with websockets.serve(handle, "127.0.0.1", int(sys.argv[1]), compression=None):
        await asyncio.Future()


asyncio.run(main())

// Bun, whose sockets are those of uWebSockets in C++: a run is a topic to which each line is published, or each socket is sent to.
// bun bun.mjs PORT publish|send
import { dlopen } from 'bun:ffi';
import { createRuns } from './runs.mjs';

const [port, way] = process.argv.slice(2);
const much = 1 << 20;

// Bun's own clock begins with the process.
const monotonic = 1;
const time = new BigInt64Array(2);
const { symbols } = dlopen('libc.so.6', { clock_gettime: { args: ['i32', 'ptr'], returns: 'i32' } });
const clock = () => {
  symbols.clock_gettime(monotonic, time);
  return time[0] * 1_000_000_000n + time[1];
};

const publish = (run, items) => {
  for (const item of items) server.publish(run.id, item);
};

const send = (run, items) => {
  for (const peer of run.peers) {
    peer.cork(() => {
      for (const item of items) peer.send(item);
    });
  }
};

const runs = createRuns({
  encode: (event) => JSON.stringify(event),
  clock,
  send: way === 'send' ? send : publish,
  async drained(run) {
    for (const peer of run.peers) {
      while (peer.readyState === 1 && peer.getBufferedAmount() > much) await new Promise((resolve) => { peer.data.drained = resolve; });
    }
  },
});

const server = Bun.serve({
  port: Number(port),
  hostname: '127.0.0.1',
  fetch: (request, self) => (self.upgrade(request, { data: {} }) ? undefined : new Response('no socket', { status: 400 })),
  websocket: {
    perMessageDeflate: false,
    message(peer, text) {
      const command = JSON.parse(text);
      const run = command.action === 'execute' ? runs.start(command.data) : runs.find(command.id);
      peer.subscribe(run.id);
      peer.send(runs.opening(run));
      runs.enter(run, peer);
    },
    drain(peer) {
      peer.data.drained?.();
    },
  },
});

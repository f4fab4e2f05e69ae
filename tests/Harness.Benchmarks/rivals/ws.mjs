// Node with the package ws as its documentation has it: each line is encoded once, and sent to each socket, which is corked for a burst.
// node ws.mjs PORT FOLDER_WITH_NODE_MODULES
import { createRequire } from 'node:module';
import { createRuns } from './runs.mjs';

const [port, folder] = process.argv.slice(2);
const { WebSocketServer } = createRequire(`${folder}/`)('ws');
const much = 1 << 20;

const runs = createRuns({
  encode: (event) => Buffer.from(JSON.stringify(event)),
  send(run, items) {
    for (const { peer, socket } of run.peers) {
      if (peer.readyState !== peer.OPEN) continue;
      socket.cork();
      for (const item of items) peer.send(item, { binary: false });
      socket.uncork();
    }
  },
  async drained(run) {
    for (const { peer, socket } of run.peers) {
      while (peer.bufferedAmount > much && !socket.destroyed) await new Promise((resolve) => socket.once('drain', resolve));
    }
  },
});

new WebSocketServer({ port: Number(port), host: '127.0.0.1', path: '/ws', perMessageDeflate: false }).on('connection', (peer, request) => {
  peer.on('error', () => {});
  peer.on('message', (text) => {
    const command = JSON.parse(text);
    const run = command.action === 'execute' ? runs.start(command.data) : runs.find(command.id);
    peer.send(runs.opening(run), { binary: false });
    runs.enter(run, { peer, socket: request.socket });
  });
});

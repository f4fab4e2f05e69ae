// Node with the package ws, harder than anyone writes it: each line is framed once too, and the frames go to the sockets under ws.
// node ready-frames.mjs PORT FOLDER_WITH_NODE_MODULES
import { createRequire } from 'node:module';
import { createRuns } from './runs.mjs';

const [port, folder] = process.argv.slice(2);
const { WebSocketServer, Sender } = createRequire(`${folder}/`)('ws');
const much = 1 << 20;

const runs = createRuns({
  encode: (event) => Buffer.concat(Sender.frame(Buffer.from(JSON.stringify(event)),
    { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: true })),
  send(run, items) {
    for (const socket of run.peers) {
      socket.cork();
      for (const item of items) socket.write(item);
      socket.uncork();
    }
  },
  async drained(run) {
    for (const socket of run.peers) {
      while (socket.writableLength > much && !socket.destroyed) await new Promise((resolve) => socket.once('drain', resolve));
    }
  },
});

new WebSocketServer({ port: Number(port), host: '127.0.0.1', path: '/ws', perMessageDeflate: false }).on('connection', (peer, request) => {
  peer.on('error', () => {});
  peer.on('message', (text) => {
    const command = JSON.parse(text);
    const run = command.action === 'execute' ? runs.start(command.data) : runs.find(command.id);
    request.socket.write(runs.opening(run));
    runs.enter(run, request.socket);
  });
});

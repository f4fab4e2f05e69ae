// Node with the package ws at its best: each line is encoded and framed once, and every socket is corked for a burst of lines.
// node node-ws.mjs PORT FOLDER_WITH_NODE_MODULES
import { createRequire } from 'node:module';
import { randomUUID } from 'node:crypto';

const [port, folder] = process.argv.slice(2);
const { WebSocketServer, Sender } = createRequire(`${folder}/`)('ws');
const runs = new Map();
const burst = 64;
const rest = 'x'.repeat(79);

const frame = (message) => Buffer.concat(Sender.frame(Buffer.from(JSON.stringify(message)),
  { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: true }));

function sendAll(run, frames) {
  for (const socket of run.sockets) {
    socket.cork();
    for (const one of frames) socket.write(one);
    socket.uncork();
  }
}

async function drained(run) {
  for (const socket of run.sockets) {
    if (socket.writableLength > 1 << 20 && !socket.destroyed) await new Promise((resolve) => socket.once('drain', resolve));
  }
}

async function write(run) {
  const { lines, rate } = run.data;
  const began = performance.now();
  const line = (seq) => frame({
    type: 'log', id: run.id, message: `T=${String(rate > 0 ? process.hrtime.bigint() : 0).padStart(19, '0')}${rest}`, seq, ts: new Date().toISOString(),
  });
  for (let written = 0; written < lines;) {
    const due = rate > 0 ? Math.min(lines, Math.floor(((performance.now() - began) / 1000) * rate)) : Math.min(lines, written + burst);
    const frames = [];
    for (; written < due; written++) frames.push(line(written + 2));
    if (frames.length > 0) sendAll(run, frames);
    if (rate > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    else { await drained(run); await new Promise(setImmediate); }
  }
  sendAll(run, [frame({ type: 'result', id: run.id, seq: lines + 2, ts: new Date().toISOString() })]);
}

function join(run, socket) {
  socket.write(frame({ type: 'status', id: run.id, message: 'running', seq: 1, ts: new Date().toISOString() }));
  run.sockets.push(socket);
  if (run.sockets.length === run.data.watchers) write(run);
}

new WebSocketServer({ port: Number(port), host: '127.0.0.1', path: '/ws', perMessageDeflate: false }).on('connection', (peer) => {
  peer.on('error', () => {});
  peer.on('message', (text) => {
    const command = JSON.parse(text);
    if (command.action === 'execute') {
      const run = { id: randomUUID(), data: command.data, sockets: [] };
      runs.set(run.id, run);
      join(run, peer._socket);
    } else {
      join(runs.get(command.id), peer._socket);
    }
  });
});

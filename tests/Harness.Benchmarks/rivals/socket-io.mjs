// Socket.IO: a run is a room, and each line is emitted to it.
// node socket-io.mjs PORT FOLDER_WITH_NODE_MODULES
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createRuns } from './runs.mjs';

const [port, folder] = process.argv.slice(2);
const { Server } = createRequire(`${folder}/`)('socket.io');
const much = 1 << 20;
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });

const runs = createRuns({
  encode: (event) => event,
  send(run, items) {
    for (const item of items) io.to(run.id).emit('event', item);
  },
  async drained(run) {
    for (const connection of run.peers) {
      while (connection.readyState === 'open' && connection.transport.socket.bufferedAmount > much) await new Promise(setImmediate);
    }
  },
});

io.on('connection', (socket) => {
  const enter = async (run) => {
    await socket.join(run.id);
    socket.emit('event', runs.opening(run));
    runs.enter(run, socket.conn);
  };
  socket.on('execute', (data) => enter(runs.start(data)));
  socket.on('subscribe', (id) => enter(runs.find(id)));
});
http.listen(Number(port), '127.0.0.1');

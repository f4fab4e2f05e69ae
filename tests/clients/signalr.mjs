// What a client built on @microsoft/signalr relies on, in JSON and in MessagePack: execute, watch, cancel a stream, cancel an execution,
// resume after a dropped connection, errors. HARNESS_HTTP is the server, with --synthetic.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

const server = new URL(process.env.HARNESS_HTTP);
const lines = 100_000;

function build(origin, protocol) {
  const builder = new HubConnectionBuilder().withUrl(`${origin}/hub`).withAutomaticReconnect([0, 50, 200, 1000]).configureLogging(LogLevel.None);
  return (protocol === 'messagepack' ? builder.withHubProtocol(new MessagePackHubProtocol()) : builder).build();
}

/** Calls onEvent for each event; ends with the stream. `dispose` ends it earlier. */
function watch(hub, id, from, onEvent) {
  let subscription;
  const ended = new Promise((resolve, reject) => {
    subscription = hub.stream('Watch', id, from).subscribe({
      next: ({ events }) => events.forEach(onEvent),
      complete: resolve,
      error: reject,
    });
  });
  return { ended, dispose: () => subscription.dispose() };
}

/** A proxy in front of the server whose connections can be cut. */
async function startProxy() {
  const sockets = new Set();
  const proxy = net.createServer((client) => {
    const upstream = net.connect(Number(server.port), server.hostname);
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      sockets.add(from);
      from.on('error', () => {}).on('close', () => { sockets.delete(from); to.destroy(); });
      from.pipe(to);
    }
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return { origin: `http://127.0.0.1:${proxy.address().port}`, cut: () => sockets.forEach((socket) => socket.destroy()), close: () => proxy.close() };
}

async function test(protocol) {
  const hub = build(server.origin, protocol);
  await hub.start();
  const ok = (what, more = '') => console.log(`ok ${protocol}: ${what}${more}`);

  // Every event once, in order, the result last; objects have the names of the JSON.
  const { id, epoch, status } = await hub.invoke('Execute', { kind: 'synthetic', data: { lines, watchers: 1 }, labels: { team: 'é😀' } });
  assert.ok(id && epoch && status);
  const events = [];
  const began = performance.now();
  await watch(hub, id, 0, (event) => events.push(event)).ended;
  const seconds = (performance.now() - began) / 1000;
  assert.equal(events.length, lines + 2);
  events.forEach((event, index) => assert.equal(event.seq, index + 1));
  assert.deepEqual(Object.keys(events[1]), ['type', 'id', 'message', 'seq', 'ts']);
  assert.equal(events[0].message, 'running');
  assert.equal(events[0].data.labels.team, 'é😀');
  assert.equal(events.at(-1).type, 'result');
  assert.equal(events.at(-1).data.status, 'completed');
  assert.equal(events.at(-1).data.logs_truncated, true);
  ok('watch', `, ${Math.round(lines / seconds)} lines/s`);

  // One by one.
  const tail = [];
  await new Promise((resolve, reject) => hub.stream('Tail', id, lines).subscribe({ next: (event) => tail.push(event), complete: resolve, error: reject }));
  assert.deepEqual(tail.map(({ seq }) => seq), [lines, lines + 1, lines + 2]);
  ok('tail');

  // A stream that is cancelled ends; its execution does not. Cancel is heard while it is watched.
  const endless = await hub.invoke('Execute', { kind: 'synthetic', data: { lines: 1e9, rate: 1000 } });
  await new Promise((resolve) => {
    const stream = watch(hub, endless.id, 0, () => { stream.dispose(); resolve(); });
  });
  assert.equal((await hub.invoke('Status', { id: endless.id, logs: 'none' })).status, 'running');
  ok('cancel a stream');
  const last = [];
  const watched = watch(hub, endless.id, 0, (event) => { last[0] = event; });
  assert.equal((await hub.invoke('Cancel', { id: endless.id })).status, 'cancelled');
  await watched.ended;
  assert.equal(last[0].type, 'result');
  assert.equal(last[0].data.status, 'cancelled');
  ok('cancel an execution');

  const page = await hub.invoke('List', { filter: { labels: { team: 'é😀' } } });
  assert.ok(page.items.some((item) => item.id === id && item.status === 'completed'));
  ok('list');

  await assert.rejects(hub.invoke('Status', { id: 'nope' }), /HubException: Test execution not found: nope$/);
  await assert.rejects(watch(hub, 'nope', 0, () => {}).ended, /HubException: Test execution not found: nope$/);
  await assert.rejects(hub.invoke('Cancel', { id }), /not running \(current status: completed\)$/);
  await assert.rejects(hub.invoke('Execute', { kind: 'nope' }), /Unknown kind: nope\. Supported kinds: /);
  await assert.rejects(hub.invoke('Nope'), /does not exist/);
  await assert.rejects(hub.invoke('Status'), /Failed to invoke 'Status'/);
  ok('errors');
  await hub.stop();

  // The connection drops three times in mid-run: the client comes back by itself and asks for what it has not seen.
  const proxy = await startProxy();
  const shaky = build(proxy.origin, protocol);
  await shaky.start();
  const run = await shaky.invoke('Execute', { kind: 'synthetic', data: { lines: 3000, rate: 3000 } });
  const seen = [];
  for (let drops = 0; seen.at(-1)?.type !== 'result';) {
    const back = new Promise((resolve) => shaky.onreconnected(resolve));
    let dropped = false;
    try {
      await watch(shaky, run.id, (seen.at(-1)?.seq ?? 0) + 1, (event) => {
        seen.push(event);
        if (!dropped && drops < 3 && seen.length > 700 * (drops + 1)) {
          dropped = true;
          drops++;
          proxy.cut();
        }
      }).ended;
    } catch {
      assert.ok(dropped, 'the stream ended with an error though nobody cut the connection');
      await back;
    }
  }
  assert.deepEqual(seen.map(({ seq }) => seq), Array.from({ length: 3002 }, (_, index) => index + 1));
  await shaky.stop();
  proxy.close();
  ok('resume');
}

try {
  await test('json');
  await test('messagepack');
} catch (error) {
  // Open connections would keep the process alive.
  console.error(error);
  process.exit(1);
}

// What samples/browser/hub.js does with frames, silence and refusals: against a server and a clock of the test's own.
import assert from 'node:assert/strict';

class FakeSocket {
  static OPEN = 1;
  static CLOSED = 3;
  static all = [];
  readyState = 0;
  sent = [];

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    FakeSocket.all.push(this);
  }

  static get last() { return FakeSocket.all.at(-1); }
  open() { this.readyState = FakeSocket.OPEN; this.onopen(); return this; }
  send(text) { this.sent.push(JSON.parse(text)); }
  say(frame) { this.onmessage({ data: JSON.stringify(frame) }); }
  lose(code, reason = '') { this.readyState = FakeSocket.CLOSED; this.onclose?.({ code, reason }); }
  close() { this.readyState = FakeSocket.CLOSED; }
  find(action) { return this.sent.findLast((message) => message.action === action); }
}

let now = 0;
let timers = [];
globalThis.WebSocket = FakeSocket;
Object.defineProperty(globalThis, 'performance', { value: { now: () => now } });
globalThis.setTimeout = (call, wait) => timers.push({ call, due: now + wait });
globalThis.clearTimeout = () => {};

function pass(ms) {
  const end = now + ms;
  for (;;) {
    timers.sort((one, other) => one.due - other.due);
    if (!(timers[0]?.due <= end)) {
      now = end;
      return;
    }
    const { call, due } = timers.shift();
    now = due;
    call();
  }
}

const { Hub } = await import('../../samples/browser/hub.js');

function connect(...rest) {
  timers = [];
  FakeSocket.all = [];
  const states = [];
  const hub = new Hub('ws://server/ws', (state, reason) => states.push({ state, reason }), ...rest);
  return { hub, states, socket: FakeSocket.last.open() };
}

function watch(hub, id) {
  const seen = [];
  const errors = [];
  hub.watch(id, ({ type, seq }) => seen.push(seq ?? type), (error) => errors.push(error.message));
  return { seen: () => seen.filter(Number.isInteger), errors };
}

{
  const { hub, socket } = connect();
  watch(hub, 'E');
  const { ref: first } = socket.find('subscribe');
  socket.say({ type: 'subscribed', id: 'E', ref: first, epoch: 'e' });
  socket.say({ type: 'log', id: 'E', seq: 1 });
  hub.unwatch('E');
  const again = watch(hub, 'E');
  const { ref: second } = socket.find('subscribe');
  assert.notEqual(second, first);
  socket.say({ type: 'log', id: 'E', seq: 7187 });
  socket.say({ type: 'error', id: 'E', code: 'not_subscribed', message: 'Not subscribed to execution: E' });
  socket.say({ type: 'subscribed', id: 'E', ref: second, epoch: 'e' });
  socket.say({ type: 'log', id: 'E', seq: 1 });
  socket.say({ type: 'log', id: 'E', seq: 2 });
  assert.deepEqual(again.errors, []);
  assert.deepEqual(again.seen(), [1, 2]);
  socket.say({ type: 'log', id: 'E', seq: 4 });
  assert.deepEqual(again.errors, ['the server left out events 3 to 3']);

  const unknown = watch(hub, 'F');
  socket.say({ type: 'error', id: 'F', ref: socket.find('subscribe').ref, message: 'Test execution not found: F' });
  assert.deepEqual(unknown.errors, ['Test execution not found: F']);
  console.log('ok what an execution left on its way when it is opened again is not taken for new');
}

{
  const { hub, states, socket } = connect();
  const { errors } = watch(hub, 'E');
  socket.say({ type: 'subscribed', id: 'E', ref: socket.find('subscribe').ref, epoch: 'e' });
  hub.ask('list').catch(() => {});
  pass(85_000);
  assert.equal(states.at(-1).state, 'open');
  socket.say({ type: 'result', id: 'E', seq: 1 });
  pass(85_000);
  assert.equal(states.at(-1).state, 'open');
  pass(95_000);
  assert.ok(states.some(({ reason }) => reason === 'the server does not answer'));
  assert.deepEqual(errors, []);
  console.log('ok a result that is long on its way is waited for, silence is not');
}

{
  const { hub, socket } = connect();
  Math.random = () => 1;
  watch(hub, 'E');
  const waits = [];
  const reconnect = () => {
    const count = FakeSocket.all.length;
    const lostAt = now;
    while (FakeSocket.all.length === count) {
      pass(1);
    }
    waits.push(now - lostAt);
    return FakeSocket.last.open();
  };
  let current = socket;
  for (let round = 0; round < 4; round++) {
    current.say({ type: 'hello' });
    current.say({ type: 'subscribed', id: 'E', ref: current.find('subscribe').ref, epoch: 'e' });
    current.lose(1006);
    current = reconnect();
  }
  current.say({ type: 'subscribed', id: 'E', ref: current.find('subscribe').ref, epoch: 'e' });
  current.say({ type: 'log', id: 'E', seq: 1 });
  current.lose(1006);
  current = reconnect();
  current.lose(1006);
  current = reconnect();
  pass(60_000);
  current.lose(1006);
  reconnect();
  assert.deepEqual(waits, [250, 500, 1000, 2000, 250, 500, 250]);
  console.log('ok a connection that brings nothing is tried again ever later');
}

{
  const { states, socket } = connect();
  socket.lose(4504, 'too many connections');
  assert.equal(states.at(-1).state, 'lost');
  pass(7_999);
  assert.equal(FakeSocket.all.length, 1);
  pass(1);
  assert.equal(FakeSocket.all.length, 2);
  FakeSocket.last.open().lose(4505, 'a foreign page');
  assert.deepEqual(states.at(-1), { state: 'refused', reason: 'a foreign page' });
  console.log('ok a server that is full is tried again, and not at once');
}

{
  const { hub, socket } = connect();
  const errors = [];
  hub.watch('E', () => {}, (error) => errors.push(error.message));
  socket.say({ type: 'error', code: 'store_failed', message: 'the database is away', ref: socket.find('subscribe').ref });
  assert.deepEqual(errors, ['the database is away']);
  console.log('ok an error that does not say of which execution ends the watch that asked');
}

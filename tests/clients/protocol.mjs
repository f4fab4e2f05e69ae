// What a client built on `ws` relies on: order and numbers of frames, two runs on one socket, errors that leave it open, a record
// that stays.
// HARNESS_WS is the server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket from 'ws';

const suite = {
  name: 'Example Suite',
  description: 'Test',
  environment_name: 'production',
  tests: [{
    id: 'test_1',
    test: {
      name: 'Example test',
      description: 'Test',
      interactions: [{ id: 't1', user: { type: 'text', text: 'hi' }, agent: { validate: [{ type: 'contains', value: 'hello' }] } }],
    },
  }],
};

const socket = new WebSocket(process.env.HARNESS_WS);
const frames = [];
const waiting = [];
socket.on('message', (data, isBinary) => {
  assert.equal(isBinary, false);
  frames.push(JSON.parse(data.toString()));
  waiting.splice(0).forEach((wake) => wake());
});
await once(socket, 'open');

const send = (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
async function next(isWanted) {
  for (;;) {
    const index = frames.findIndex(isWanted);
    if (index >= 0) {
      return frames.splice(0, index + 1);
    }
    await new Promise((wake) => waiting.push(wake));
  }
}

// One run: status first, then lines, then one result; numbered without a gap.
send({ action: 'execute', data: { suite } });
const run = await next((frame) => frame.type === 'result');
assert.deepEqual(run.map((frame) => frame.seq), run.map((_, index) => index + 1));
assert.equal(run[0].type, 'status');
assert.equal(run[0].message, 'running');
assert.ok(run.slice(1, -1).every((frame) => frame.type === 'log' && frame.id === run[0].id));
assert.equal(run.at(-1).data.status, 'completed');
assert.deepEqual(run.at(-1).data.logs.slice(3, -1), run.slice(1, -1).map((frame) => frame.message));
console.log('ok one run');

// Two runs on one socket: their frames may interleave, each is whole.
send({ action: 'execute', data: { suite } });
send({ action: 'execute', data: { suite } });
const both = [...await next((frame) => frame.type === 'result'), ...await next((frame) => frame.type === 'result')];
const ids = [...new Set(both.map((frame) => frame.id))];
assert.equal(ids.length, 2);
for (const id of ids) {
  const own = both.filter((frame) => frame.id === id);
  assert.equal(own[0].type, 'status');
  assert.equal(own.at(-1).type, 'result');
  assert.equal(own.length, run.length);
}
console.log('ok two runs');

// Nonsense is answered, and the socket stays open.
send('hello');
assert.match((await next((frame) => frame.type === 'error')).at(-1).message, /^Invalid JSON: /);
send({ action: 'foo' });
assert.match((await next((frame) => frame.type === 'error')).at(-1).message, /^Unknown action: foo\. Supported actions: /);
send({ action: 'status', id: 'nope' });
assert.deepEqual(
  (({ type, id, message }) => ({ type, id, message }))((await next((frame) => frame.type === 'error')).at(-1)),
  { type: 'error', id: 'nope', message: 'Test execution not found: nope' });
console.log('ok errors');

// The record is still there after the end.
send({ action: 'status', id: run[0].id });
assert.deepEqual((await next((frame) => frame.type === 'status')).at(-1).data.logs, run.at(-1).data.logs);
console.log('ok status');

const closed = once(socket, 'close');
socket.close(1000);
assert.equal((await closed)[0], 1000);
console.log('ok close');

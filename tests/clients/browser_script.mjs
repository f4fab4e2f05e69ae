// Runs the browser sample's script under Node, with `ws` in the place of the browser's WebSocket. HARNESS_WS is the server.
import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import WebSocket from 'ws';

globalThis.WebSocket = WebSocket;
globalThis.HARNESS_WS = process.env.HARNESS_WS;

const log = console.log;
console.log = (...values) => {
  log(...values);
  if (values[0] === '[RESULT]') {
    log(`Status: ${values[1].status}`);
    runInThisContext('ws').close();
  }
};

const script = new URL('../../samples/browser/run_tests.js', import.meta.url);
runInThisContext(readFileSync(script, 'utf8'), { filename: script.pathname });

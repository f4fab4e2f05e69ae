// What the rivals on JavaScript have in common: a run waits for its watchers and then says its lines, each encoded once for all.
import { randomUUID } from 'node:crypto';

const burst = 64;
const rest = 'x'.repeat(79);

/**
 * @param encode makes of an event what is sent
 * @param send gives items to everyone who watches a run, in order
 * @param drained resolves when nobody who watches a run has much unsent
 * @param clock the system's monotonic time in nanoseconds
 */
export function createRuns({ encode, send, drained, clock = process.hrtime.bigint }) {
  const runs = new Map();
  const event = (run, type, seq, message) => encode({ type, id: run.id, message, seq, ts: new Date().toISOString() });

  async function write(run) {
    const { lines, rate } = run.data;
    const began = performance.now();
    for (let written = 0; written < lines;) {
      const due = rate > 0 ? Math.min(lines, Math.floor(((performance.now() - began) / 1000) * rate)) : Math.min(lines, written + burst);
      const items = [];
      for (; written < due; written++) {
        items.push(event(run, 'log', written + 2, `T=${String(rate > 0 ? clock() : 0).padStart(19, '0')}${rest}`));
      }

      if (items.length > 0) send(run, items);
      if (rate > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      else {
        await drained(run);
        await new Promise(setImmediate);
      }
    }

    send(run, [event(run, 'result', lines + 2)]);
    runs.delete(run.id);
  }

  return {
    start(data) {
      const run = { id: randomUUID(), data, peers: [] };
      runs.set(run.id, run);
      return run;
    },
    find: (id) => runs.get(id),
    opening: (run) => event(run, 'status', 1, 'running'),
    enter(run, peer) {
      run.peers.push(peer);
      if (run.peers.length === run.data.watchers) write(run);
    },
  };
}

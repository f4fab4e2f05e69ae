// Starts an execution over SignalR and prints what it says. A connection that drops is opened again, and nothing is lost or doubled.
// node watch.cjs [--msgpack] [http://localhost:8080]
const { randomUUID } = require('node:crypto');
const { HubConnectionBuilder, LogLevel } = require('@microsoft/signalr');

const args = process.argv.slice(2);
const origin = args.find((arg) => arg.startsWith('http')) ?? process.env.HARNESS_HTTP ?? 'http://localhost:8080';
const suite = {
  name: 'Example Suite',
  description: 'One greeting',
  environment_name: 'production',
  tests: [{
    id: 'test_1',
    test: { name: 'Example test', description: 'Says hi', interactions: [{ id: 't1', user: { type: 'text', text: 'hi' }, agent: { validate: [{ type: 'contains', value: 'hello' }] } }] },
  }],
};

async function main() {
  const builder = new HubConnectionBuilder()
    .withUrl(`${origin}/hub`, { accessTokenFactory: () => process.env.HARNESS_API_KEY ?? '' })
    .configureLogging(LogLevel.Error);
  if (args.includes('--msgpack')) {
    const { MessagePackHubProtocol } = require('@microsoft/signalr-protocol-msgpack');
    builder.withHubProtocol(new MessagePackHubProtocol());
  }

  const hub = builder.build();
  await hub.start();
  const { id } = await hub.invoke('Execute', { data: { suite }, idempotency_key: randomUUID() });
  console.log(`Execution ${id}`);
  let next = 0;
  for (let ended = false; !ended;) {
    try {
      await watch(hub, id, next, (event) => {
        if (event.type === 'truncated') {
          console.log(`Events ${event.from} to ${event.to} are no longer kept`);
          next = event.to + 1;
          return;
        }
        next = event.seq + 1;
        ended = event.type === 'result';
        console.log(ended ? `Result: ${event.data.status}` : event.message);
      });
    } catch (error) {
      if (hub.state === 'Connected') {
        throw error;
      }
      await reconnect(hub);
    }
  }

  await hub.stop();
}

/** Calls onEvent for every event from a sequence on; ends after the result. */
function watch(hub, id, from, onEvent) {
  return new Promise((resolve, reject) => hub.stream('Watch', id, from).subscribe({
    next: ({ events }) => events.forEach(onEvent), complete: resolve, error: reject,
  }));
}

async function reconnect(hub) {
  for (let attempt = 0; hub.state !== 'Connected'; attempt++) {
    // With jitter, so that many clients do not come back at the same moment.
    await new Promise((wake) => setTimeout(wake, Math.random() * Math.min(10_000, 250 * 2 ** attempt)));
    await hub.start().catch((error) => console.error(`Not back yet: ${error.message}`));
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});

// The browser builds of @microsoft/signalr and its MessagePack protocol, in a page of another origin than the hub's, in headless Chromium.
// HARNESS_HTTP is the server, with --synthetic.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const files = {
  '/signalr.js': 'node_modules/@microsoft/signalr/dist/browser/signalr.js',
  '/msgpack.js': 'node_modules/@microsoft/signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.js',
};
const pages = createServer(async (request, response) => {
  if (files[request.url]) {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(await readFile(new URL(files[request.url], import.meta.url)));
  } else {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<script src="/signalr.js"></script><script src="/msgpack.js"></script>');
  }
});
await once(pages.listen(0, '127.0.0.1'), 'listening');

const profile = await mkdtemp(join(tmpdir(), 'harness-chromium-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  for (const protocol of ['json', 'messagepack']) {
    const count = await page.evaluate(async ([server, protocol]) => {
      const builder = new signalR.HubConnectionBuilder().withUrl(`${server}/hub`);
      if (protocol === 'messagepack') {
        builder.withHubProtocol(new signalR.protocols.msgpack.MessagePackHubProtocol());
      }
      const hub = builder.build();
      await hub.start();
      const { id } = await hub.invoke('Execute', { kind: 'synthetic', data: { lines: 1000 } });
      let count = 0;
      await new Promise((resolve, reject) => hub.stream('Watch', id, 0).subscribe({
        next: ({ events }) => { count += events.length; }, complete: resolve, error: reject,
      }));
      await hub.stop();
      return count;
    }, [process.env.HARNESS_HTTP, protocol]);
    console.log(`${protocol}: ${count} events`);
  }
} finally {
  await browser.close();
  pages.close();
  await rm(profile, { recursive: true, force: true });
}

// /ws and the hub in a page of the server's own, over HTTP/2: Chromium then opens no connection for a socket but a stream in the one it has.
// HARNESS_HTTP is the server with TLS and --synthetic; its certificate may be of its own making.
import { fileURLToPath } from 'node:url';
import { withBrowser } from './browser.mjs';
import { scripts, watchInBothProtocols } from './signalr_watch.mjs';

const server = process.env.HARNESS_HTTP;
await withBrowser(async (page) => {
  await page.goto(`${server}/health`);
  const count = await page.evaluate(async (url) => {
    const socket = new WebSocket(url);
    let count = 0;
    await new Promise((resolve, reject) => {
      socket.onopen = () => socket.send(JSON.stringify({ action: 'execute', kind: 'synthetic', data: { lines: 1000 } }));
      socket.onerror = () => reject(new Error('the socket was refused'));
      socket.onmessage = ({ data }) => {
        count += 1;
        if (JSON.parse(data).type === 'result') {
          resolve();
        }
      };
    });
    socket.close();
    return count;
  }, `${server.replace('https', 'wss')}/ws`);
  console.log(`ws: ${count} events`);

  for (const script of scripts) {
    await page.addScriptTag({ path: fileURLToPath(script) });
  }
  await watchInBothProtocols(page, server);
}, { ignoreHTTPSErrors: true });

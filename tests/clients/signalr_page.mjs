// The hub in a page of another origin than its own, in headless Chromium. HARNESS_HTTP is the server, with --synthetic.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { withBrowser } from './browser.mjs';
import { scripts, watchInBothProtocols } from './signalr_watch.mjs';

const pages = createServer(async (request, response) => {
  const script = scripts[request.url.slice(1)];
  if (script) {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(await readFile(script));
  } else {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<script src="/0"></script><script src="/1"></script>');
  }
});
await once(pages.listen(0, '127.0.0.1'), 'listening');
try {
  await withBrowser(async (page) => {
    await page.goto(`http://127.0.0.1:${pages.address().port}/`);
    await watchInBothProtocols(page, process.env.HARNESS_HTTP);
  });
} finally {
  pages.close();
}

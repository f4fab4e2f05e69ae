// Opens the browser sample in headless Chromium and waits for what it shows. HARNESS_WS is a server that lets this page's origin in.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const files = { '/': ['index.html', 'text/html'], '/run_tests.js': ['run_tests.js', 'text/javascript'] };
const pages = createServer(async (request, response) => {
  const [name, type] = files[new URL(request.url, 'http://localhost').pathname] ?? [];
  if (!name) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` });
  response.end(await readFile(new URL(`../../samples/browser/${name}`, import.meta.url)));
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
  await page.goto(`http://127.0.0.1:${pages.address().port}/?server=${encodeURIComponent(process.env.HARNESS_WS)}`);
  await page.waitForSelector('#status[data-status=completed], #status[data-status=failed], #status[data-status=error]', { timeout: 60_000 });
  console.log(`Status: ${await page.textContent('#status')}`);
  for (const line of await page.locator('#log li').allTextContents()) {
    console.log(line);
  }
} finally {
  await browser.close();
  pages.close();
  await rm(profile, { recursive: true, force: true });
}

// Chromium, alone or with one of the browser samples in it, served from a port of its own. CHROMIUM is another browser than the usual one.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Opens an empty page and hands it to `use`; everything is closed when that is done. */
export async function withBrowser(use, options = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'harness-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
    ...options,
  });
  browser.setDefaultTimeout(60_000);
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.log(`[PAGE ERROR] ${error.message}`));
    await use(page);
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Opens a page of samples/browser and hands it to `use`; everything is closed when that is done. */
export async function withPage(file, server, use) {
  const pages = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const type = types[extname(pathname)];
    if (!type || pathname.lastIndexOf('/') > 0) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` });
    response.end(await readFile(new URL(`../../samples/browser${pathname}`, import.meta.url)));
  });
  await once(pages.listen(0, '127.0.0.1'), 'listening');
  try {
    await withBrowser(async (page) => {
      await page.goto(`http://127.0.0.1:${pages.address().port}/${file}?server=${encodeURIComponent(server)}`);
      await use(page);
    }, { viewport: { width: 1280, height: 800 } });
  } finally {
    pages.close();
  }
}

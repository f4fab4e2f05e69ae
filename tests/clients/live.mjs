// Uses the live page as a person does, over a network that loses connections. HARNESS_WS is the server behind that network, HARNESS_DIRECT
// the server itself; it runs synthetic executions. SCREENSHOT is a file for a picture.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket from 'ws';
import { withPage } from './browser.mjs';

async function start(data) {
  const socket = new WebSocket(process.env.HARNESS_DIRECT);
  await once(socket, 'open');
  socket.send(JSON.stringify({ action: 'execute', kind: 'synthetic', data, watch: false }));
  const [message] = await once(socket, 'message');
  socket.close();
  return JSON.parse(message).id;
}

const statusIs = (page, status) => page.waitForSelector(`#status[data-status=${status}]`);
const received = (page, count) => page.waitForSelector(`#summary[data-received="${count}"]`);

const lines = 900;
const dropped = await start({ lines, watchers: 1 });
const long = await start({ lines: 20_000, watchers: 1 });
const endless = await start({ lines: 1_000_000, rate: 20 });

await withPage('live.html', process.env.HARNESS_WS, async (page) => {
  // Every row that is ever added, also those that are taken out again.
  await page.evaluate(() => {
    globalThis.rows = [];
    globalThis.states = [];
    new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((row) => rows.push(Number(row.dataset.seq)))))
      .observe(document.getElementById('log'), { childList: true });
    new MutationObserver(() => states.push(document.getElementById('connection').dataset.state))
      .observe(document.getElementById('connection'), { attributes: true });
  });

  // Three executions wait to be chosen; the first one is cut off in the middle, more than once.
  await page.waitForSelector(`#executions a[href="#${dropped}"]`);
  await page.click(`#executions a[href="#${dropped}"]`);
  await statusIs(page, 'completed');
  await received(page, lines + 2);
  assert.deepEqual(await page.evaluate(() => rows), Array.from({ length: lines + 2 }, (_, index) => index + 1));
  assert.ok((await page.evaluate(() => states)).filter((state) => state === 'lost').length >= 3);
  console.log('ok no line is missing or doubled');

  // A long log keeps the page small.
  await page.click(`#executions a[href="#${long}"]`);
  await statusIs(page, 'completed');
  await received(page, 20_002);
  assert.equal(await page.locator('#log li').count(), 1_000);
  assert.equal(await page.locator('#log li').last().getAttribute('data-seq'), '20002');
  console.log('ok a long log is bounded');

  // The seed's example, filtered.
  await page.click('#start');
  await page.waitForFunction(() => document.getElementById('title').textContent === 'Example Suite');
  await page.getByText('Result: completed').waitFor();
  const all = await page.locator('#log li').count();
  await page.fill('#filter', 'request payload');
  assert.deepEqual(await page.locator('#log li > :last-child').allTextContents(), ['Interaction Request Payload: hi']);
  await page.fill('#filter', '');
  assert.equal(await page.locator('#log li').count(), all);
  console.log('ok the example is filtered');
  if (process.env.SCREENSHOT) {
    await page.screenshot({ path: process.env.SCREENSHOT });
  }

  await page.click(`#executions a[href="#${endless}"]`);
  await statusIs(page, 'running');
  await page.waitForSelector('#log li:nth-child(30)');
  if (process.env.SCREENSHOT) {
    await page.screenshot({ path: process.env.SCREENSHOT.replace('.png', '-running.png') });
  }
  // On a telephone nothing stands beside the window.
  await page.setViewportSize({ width: 360, height: 640 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  assert.ok(await page.evaluate(() => document.getElementById('log').clientHeight) < 640);
  console.log('ok it fits a narrow window');

  await page.click('#cancel');
  await statusIs(page, 'cancelled');
  assert.equal(await page.locator('#cancel').isVisible(), false);
  console.log('ok cancelled');
});

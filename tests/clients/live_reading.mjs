// Reads the live page as a demanding person does: with the keyboard, in older lines of a log that goes on, back and forth, and with an address
// that leads nowhere. HARNESS_WS and HARNESS_HTTP are a server that runs synthetic executions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { withPage } from './browser.mjs';

const executions = `${process.env.HARNESS_HTTP}/api/v1/executions`;

async function post(url, body) {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return response.json();
}

const generation = await post(executions, { kind: 'generation', data: { agent: 'demo', input: 'What time is it?' } });
const endless = await post(executions, { kind: 'synthetic', data: { lines: 1_000_000, rate: 1_000 } });
const link = ({ id }) => `#executions a[href="#${id}"]`;
const received = (page) => page.evaluate(() => Number(document.getElementById('summary').dataset.received));
const hasReceived = (page, count) => page.waitForFunction((least) => document.getElementById('summary').dataset.received >= least, count);

await withPage('live.html', process.env.HARNESS_WS, async (page) => {
  await page.waitForSelector(link(generation));
  await page.focus(link(generation));
  const another = await post(executions, { kind: 'synthetic', data: { lines: 1 } });
  await page.waitForSelector(link(another));
  assert.equal(await page.evaluate(() => document.activeElement.hash), `#${generation.id}`);
  console.log('ok the focus stays in a list that changes');

  await page.keyboard.press('Enter');
  await page.waitForSelector('#status[data-status=completed]');
  await page.getByText(/^text \{"text":/).first().waitFor();
  console.log('ok events have their data');

  await page.click(link(endless));
  await hasReceived(page, 1_500);
  await page.evaluate(() => { document.getElementById('log').scrollTop = 0; });
  await page.waitForSelector('#jump:not([hidden])');
  const oldest = await page.locator('#log li').first().getAttribute('data-seq');
  await hasReceived(page, await received(page) + 1_500);
  assert.equal(await page.locator('#log li').first().getAttribute('data-seq'), oldest);
  assert.equal(await page.evaluate(() => document.getElementById('log').scrollTop), 0);
  assert.equal(await page.locator('#log li').count(), 1_000);
  await page.click('#jump');
  assert.ok(Number(await page.locator('#log li').first().getAttribute('data-seq')) > Number(oldest) + 1_000);
  assert.equal(await page.isVisible('#jump'), false);
  console.log('ok older lines stay while they are read');

  await page.goBack();
  await page.waitForSelector('#status[data-status=completed]');
  await page.goBack();
  await page.waitForSelector('#status', { state: 'hidden' });
  assert.equal(await page.locator('#log li').count(), 0);
  console.log('ok back leads to where one was');
});
await post(`${executions}/${endless.id}/cancel`, {});

await withPage('live.html', 'localhost:1', async (page) => {
  await page.waitForSelector('#connection[data-state=refused]');
  assert.match(await page.textContent('#connection'), /^localhost:1: .*scheme/);
});
await withPage('index.html', 'localhost:1', async (page) => {
  await page.waitForSelector('#status[data-status=error]');
  assert.match(await page.textContent('#log'), /scheme/);
});
console.log('ok an address that is none is named');

const closing = new WebSocketServer({ port: 0, host: '127.0.0.1' });
closing.on('connection', (socket) => socket.close(4503, 'this server asks for an API key'));
await once(closing, 'listening');
await withPage('index.html', `ws://127.0.0.1:${closing.address().port}/ws`, async (page) => {
  await page.waitForSelector('#status[data-status=error]');
  assert.match(await page.textContent('#log'), /this server asks for an API key/);
});
closing.close();
console.log('ok a refusal is shown');

// The events that said what it is are gone.
const trimmed = new WebSocketServer({ port: 0, host: '127.0.0.1' });
trimmed.on('connection', (socket) => socket.on('message', (text) => {
  const { action, id, ref } = JSON.parse(text);
  if (action === 'subscribe') {
    socket.send(JSON.stringify({ type: 'subscribed', id, ref, epoch: 'e', first: 500, last: 500, from: 1, recovered: false, status: 'suspended' }));
    socket.send(JSON.stringify({ type: 'truncated', id, from: 1, to: 499, reason: 'memory' }));
    socket.send(JSON.stringify({ type: 'log', id, seq: 500, message: 'the newest line' }));
  } else if (action === 'list') {
    socket.send(JSON.stringify({ type: 'list', ref, items: [{ id: 'E', name: 'E', kind: 'workflow', status: 'suspended', started_at: new Date() }] }));
  }
}));
await once(trimmed, 'listening');
await withPage('live.html', `ws://127.0.0.1:${trimmed.address().port}/ws`, async (page) => {
  await page.click(link({ id: 'E' }));
  await page.getByText('the newest line').waitFor();
  assert.equal(await page.textContent('#status'), 'suspended');
});
trimmed.close();
console.log('ok the status is known without the events that said it');

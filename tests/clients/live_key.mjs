// Opens the live page on a server that asks for the key 'rïght/?', first with a wrong one. HARNESS_WS is the server.
import assert from 'node:assert/strict';
import { withPage } from './browser.mjs';

await withPage('live.html', process.env.HARNESS_WS, async (page) => {
  // A question is closed without an answer where nobody listens for it.
  await page.waitForSelector('#connection[data-state=refused]');
  assert.match(await page.textContent('#connection'), /asks for an API key/);

  const answers = ['wrong', 'rïght/?'];
  const answered = new Promise((resolve) => page.on('dialog', async (dialog) => {
    await dialog.accept(answers.shift());
    if (answers.length === 0) {
      resolve();
    }
  }));
  await page.reload();
  await answered;
  await page.click('#start');
  await page.getByText('Result: completed').waitFor();

  // It is kept for this tab, and not in the address.
  await page.reload();
  await page.getByText('Result: completed').waitFor();
  assert.ok(!page.url().includes('ght'));
});
console.log('ok the page asks for a key');

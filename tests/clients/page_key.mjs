// Opens a documentation page of a server that asks for the key 'right' with a wrong one in its address. HARNESS_HTTP is the server.
import assert from 'node:assert/strict';
import { withBrowser } from './browser.mjs';

await withBrowser(async (page) => {
  const questions = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.message());
    dialog.accept('right');
  });
  await page.goto(`${process.env.HARNESS_HTTP}/ui?access_token=wrong`);
  await page.getByText('Failed to load API definition').waitFor();
  assert.equal(page.url(), `${process.env.HARNESS_HTTP}/ui`);
  assert.deepEqual(questions, []);

  await page.reload();
  await page.waitForSelector('.opblock');
  assert.deepEqual(questions, ['This server asks for an API key']);

  await page.goto(`${process.env.HARNESS_HTTP}/swagger/index.html`);
  await page.waitForSelector('.opblock');
  assert.equal(questions.length, 1);
  console.log('ok');
});

// Opens the browser sample in headless Chromium and waits for what it shows. HARNESS_WS is a server that lets this page's origin in.
import { withPage } from './browser.mjs';

await withPage('index.html', process.env.HARNESS_WS, async (page) => {
  await page.waitForSelector('#status[data-status=completed], #status[data-status=failed], #status[data-status=error]');
  console.log(`Status: ${await page.textContent('#status')}`);
  for (const line of await page.locator('#log li').allTextContents()) {
    console.log(line);
  }
});

// What the live page shows of lines that come in floods, are long, or are read in a window that changes: its log alone, without a server.
import assert from 'node:assert/strict';
import { withPage } from './browser.mjs';

await withPage('live.html', 'ws://localhost:1/ws', async (page) => {
  // Elements of its own, which the page's log does not look after.
  const begin = () => page.evaluate(async () => {
    const { Log } = await import('./log.js');
    const fresh = (id) => {
      const copy = document.getElementById(id).cloneNode(id === 'jump');
      document.getElementById(id).replaceWith(copy);
      return copy;
    };
    globalThis.log = new Log({ list: fresh('log'), summary: fresh('summary'), jump: fresh('jump') });
    globalThis.count = 0;
    globalThis.add = (lines, text = 'line') => {
      for (let index = 0; index < lines; index++) {
        log.add({ seq: ++count, text: `${text} ${count}`, kind: '' });
      }
    };
    log.clear();
  });
  // Scrolling and sizes are told once in a frame.
  const frames = () => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const drawn = async () => {
    await page.waitForFunction(() => Number(document.getElementById('summary').dataset.received) === count);
    await frames();
  };
  const shown = () => page.evaluate(() => [...document.getElementById('log').children].map((row) => Number(row.dataset.seq)));
  const from = (first, last) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const top = () => page.evaluate(() => { document.getElementById('log').scrollTop = 0; });

  await begin();
  await page.evaluate(() => add(500));
  await drawn();
  await top();
  await page.waitForSelector('#jump:not([hidden])');
  await page.evaluate(() => add(3_000));
  await drawn();
  const read = await shown();
  assert.deepEqual(read, from(1, read.length));
  assert.match(await page.textContent('#summary'), /newer ones wait below/);
  await page.click('#jump');
  assert.deepEqual(await shown(), from(2_501, 3_500));

  // Scrolled up between the flood and the draw.
  await begin();
  await page.evaluate(() => add(500));
  await drawn();
  await page.evaluate(() => {
    add(3_000);
    const list = document.getElementById('log');
    list.scrollTop = 0;
    list.dispatchEvent(new Event('scroll'));
  });
  await drawn();
  assert.deepEqual(await shown(), from(1, 500));
  console.log('ok a flood leaves no hole below what is read');

  await begin();
  await page.evaluate(() => add(300, 'many words '.repeat(20)));
  await drawn();
  const below = () => page.evaluate(() => {
    const list = document.getElementById('log');
    return list.scrollHeight - list.scrollTop - list.clientHeight;
  });
  for (const [width, height] of [[844, 390], [390, 844], [844, 390], [1280, 500], [900, 800], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    await page.waitForFunction((wanted) => innerWidth === wanted, width);
    await frames();
    assert.ok(await below() < 40, `${await below()} points below at ${width} x ${height}`);
    assert.equal(await page.isVisible('#jump'), false);
    assert.ok(await page.evaluate(() => document.getElementById('log').clientHeight) > 200);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
  }

  // A scroll that the window makes before the page could look at its size.
  await page.evaluate(() => {
    const list = document.getElementById('log');
    list.style.height = '50%';
    list.scrollTop -= 500;
    list.dispatchEvent(new Event('scroll'));
  });
  await frames();
  assert.ok(await below() < 40);

  await page.hover('#log');
  await page.mouse.wheel(0, -500);
  await page.waitForSelector('#jump:not([hidden])');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForFunction(() => innerWidth === 390);
  await page.evaluate(() => add(1));
  await drawn();
  assert.ok(await below() > 40);
  assert.equal(await page.isVisible('#jump'), true);
  await page.setViewportSize({ width: 1280, height: 800 });
  console.log('ok a window that turns stays with the newest lines');

  await begin();
  await page.evaluate(() => {
    log.add({ seq: ++count, text: 'x'.repeat(65_000), kind: '' });
    log.add({ seq: ++count, text: 'the last one', kind: '' });
  });
  await drawn();
  const long = page.locator('#log li').first().locator('> :last-child');
  const length = () => long.evaluate((words) => words.textContent.length);
  assert.ok(await length() < 4_100);
  await long.getByText('… 61,000 more characters').click();
  assert.equal(await length(), 65_000);
  // Who opened it reads it: the next line does not take it away.
  const before = await page.evaluate(() => document.getElementById('log').scrollTop);
  await page.evaluate(() => add(1));
  await drawn();
  assert.equal(await page.evaluate(() => document.getElementById('log').scrollTop), before);
  assert.equal(await page.isVisible('#jump'), true);
  console.log('ok a long line is short until it is opened');

  await begin();
  await page.evaluate(() => {
    add(1, 'needle');
    add(600, 'x'.repeat(65_000));
    add(1, 'another needle');
    log.filter = 'needle';
  });
  assert.deepEqual(await shown(), [602]);
  console.log('ok long lines are forgotten sooner');
});

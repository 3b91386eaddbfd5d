/** The page of a run in a real browser: what is seen, the buttons, a server that goes and comes back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { arrayDataset, conv2d, dense, flatten, type Model, sequential } from '../../src/index.ts';
import { type TrainingUi, trainingUi } from '../../src/ui/index.ts';
import { startBrowser, withoutBrowser } from '../helpers/browser.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { randomFrom } from '../helpers/twin.ts';

const engine = testEngine({ threads: 1 });
const random = randomFrom(5);
const data = arrayDataset({
  inputs: Uint8Array.from({ length: 40 * 108 }, () => Math.floor(256 * random())),
  inputShape: [6, 6, 3],
  targets: Int32Array.from({ length: 40 }, (_, i) => i % 3),
  classNames: ['<img src=x onerror=alert(1)>', 'b & c', 'a name as long as names of classes may well be'],
  normalization: { kind: 'scale' },
});

const network = (): Model =>
  sequential({ inputShape: [6, 6, 3], seed: 2 }, [
    conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
    flatten(),
    dense({ units: 3, activation: 'softmax' }),
  ]);

/** A run that ends when it is told to. */
async function startRun(title: string, port = 0): Promise<{ ui: TrainingUi; end(): Promise<string> }> {
  const ui = await trainingUi({ title, port, sampleCount: 6 });
  const model = network();
  const abort = new AbortController();
  const signal = AbortSignal.any([ui.signal, abort.signal]);
  const options = {
    engine,
    epochs: 100_000,
    batchSize: 4,
    validation: data,
    callbacks: [ui.callback],
    signal,
    // Slow enough to be still learning when it is looked at.
    onStep: () => new Promise<void>((resolve) => setTimeout(resolve, 3)),
  };
  const running = model.fit(data, options);
  return {
    ui,
    async end() {
      abort.abort();
      const { end } = await running;
      await ui.close();
      await model.close();
      return end;
    },
  };
}

describe('the page of a run', { skip: withoutBrowser }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  /** A page, and what it complains of. */
  async function openPage(url: string, width = 1200, colorScheme: 'light' | 'dark' = 'light') {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(dialog.message());
      return dialog.dismiss();
    });
    await page.goto(url);
    return { page, complaints };
  }

  const text = (page: Page, id: string) => page.locator(`#${id}`).innerText();
  /** Waits for what an expression says. Not by waitForFunction, which the page's policy (no eval) forbids. */
  async function waitFor(page: Page, expression: string): Promise<void> {
    for (const end = performance.now() + 20_000; performance.now() < end; ) {
      if (await page.evaluate(expression)) return;
      await page.waitForTimeout(30);
    }
    throw new Error(`waited in vain for ${expression}`);
  }
  const status = (page: Page, wanted: string) =>
    waitFor(page, `document.getElementById('status').textContent === ${JSON.stringify(wanted)}`);

  for (const [colorScheme, width] of [
    ['light', 1200],
    ['dark', 390],
  ] as const) {
    test(`${colorScheme}, ${width} wide: figures, curves, samples and filters, nothing sticks out`, async () => {
      const run = await startRun('A run <b>');
      const { page, complaints } = await openPage(run.ui.url, width, colorScheme);
      await status(page, 'running');
      await waitFor(page, `document.querySelectorAll('#epochs tbody tr').length >= 2`);
      assert.equal(await text(page, 'title'), 'A run <b>');
      assert.match(await text(page, 'step'), /^\d+ \/ 10$/);
      assert.match(await text(page, 'epoch'), /^\d+ \/ 100000$/);
      assert.match(await text(page, 'accuracy'), /^\d+\.\d%$/);
      assert.match(await text(page, 'rate'), /^[1-9][\d,]*$/);
      const found = (await page.evaluate(`(async () => {
        const images = [...document.images];
        await Promise.all(images.map((image) => image.decode()));
        const inked = [...document.querySelectorAll('canvas')].map((canvas) => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return data.some((value, i) => i % 4 === 3 && value > 0);
        });
        return {
          samples: document.querySelectorAll('#samples img').length,
          filters: document.querySelectorAll('#filters img').length,
          drawn: images.every((image) => image.naturalWidth > 0),
          named: images.every((image) => image.alt !== ''),
          inked,
          width: document.documentElement.scrollWidth,
          paper: getComputedStyle(document.body).backgroundColor,
          controls: document.getElementById('controls').hidden,
        };
      })()`)) as Record<string, unknown>;
      assert.deepEqual(found, {
        samples: 6,
        filters: 4,
        drawn: true,
        named: true,
        inked: [true, true, true],
        width,
        paper: colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 24, 29)',
        controls: false,
      });
      const filter = `document.querySelector('#filters img').src`;
      const first = await page.evaluate(filter);
      await waitFor(page, `${filter} !== ${JSON.stringify(first)}`);
      assert.equal(await run.end(), 'aborted');
      await status(page, 'stopped and saved');
      assert.deepEqual(
        complaints.filter((line) => !line.includes('ERR_')),
        [],
      );
      await page.close();
    });
  }

  test('its buttons pause the run, let it go on, and stop it', async () => {
    const run = await startRun('Buttons');
    const { page, complaints } = await openPage(run.ui.url);
    await status(page, 'running');
    await page.click('#pause');
    await status(page, 'paused');
    assert.equal(await text(page, 'pause'), 'Resume');
    // The step in hand is finished, and what was on its way is shown.
    await page.waitForTimeout(400);
    const step = await text(page, 'step');
    await page.waitForTimeout(400);
    assert.equal(await text(page, 'step'), step);
    // By the keyboard, which stays at the button.
    await page.focus('#pause');
    await page.keyboard.press('Enter');
    await status(page, 'running');
    await waitFor(page, `document.activeElement.id === 'pause'`);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.id'), 'stop');
    await page.click('#stop');
    await status(page, 'stopped and saved');
    assert.ok(await page.locator('#controls').isHidden());
    assert.deepEqual(complaints, []);
    await run.end();
    await page.close();
  });

  test('without the token it shows, says what is missing, and has no buttons', async () => {
    const run = await startRun('No token');
    const { page } = await openPage(new URL('/', run.ui.url).href);
    await status(page, 'running');
    assert.ok(await page.locator('#controls').isHidden());
    assert.match(await text(page, 'hint'), /open the address that the run printed/);
    await run.end();
    await page.close();
  });

  test('with another run’s token the buttons say why they do nothing', async () => {
    const run = await startRun('Wrong token');
    const { page } = await openPage(new URL('/#wrong', run.ui.url).href);
    await status(page, 'running');
    await page.click('#stop');
    await waitFor(page, `document.getElementById('hint').textContent.includes('it has a token')`);
    assert.equal(await text(page, 'status'), 'running');
    await run.end();
    await page.close();
  });

  test('it comes back by itself to a server that was gone', async () => {
    const first = await startRun('First');
    const port = Number(new URL(first.ui.url).port);
    const { page } = await openPage(first.ui.url);
    await status(page, 'running');
    await first.ui.close();
    await status(page, 'connection lost, trying again');
    await first.end();
    const second = await startRun('Second', port);
    await waitFor(page, `document.getElementById('title').textContent === 'Second'`);
    await status(page, 'running');
    await second.end();
    await page.close();
  });
});

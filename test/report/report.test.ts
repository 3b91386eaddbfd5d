import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import {
  arrayDataset,
  conv2d,
  type Dataset,
  dense,
  evaluateClassifier,
  flatten,
  type Model,
  sequential,
} from '../../src/index.ts';
import { gradientNorms, modelPictures, trainingReportHtml } from '../../src/report/index.ts';
import { startBrowser, withoutBrowser } from '../helpers/browser.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { randomFrom } from '../helpers/twin.ts';

const engine = testEngine({ threads: 1 });

/** Images of three classes, one of which has a name that is markup. */
function images(size: number): Dataset {
  const random = randomFrom(7);
  return arrayDataset({
    inputs: Uint8Array.from({ length: size * 108 }, () => Math.floor(256 * random())),
    inputShape: [6, 6, 3],
    targets: Int32Array.from({ length: size }, (_, i) => i % 3),
    classNames: ['<img src=x onerror=alert(1)>', 'b & c', 'd'],
    normalization: { kind: 'scale' },
  });
}

function network(): Model {
  return sequential({ inputShape: [6, 6, 3], seed: 2 }, [
    conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
    flatten(),
    dense({ units: 3, activation: 'softmax' }),
  ]);
}

/** A whole report of a short run. */
async function report(): Promise<string> {
  const data = images(20);
  await using model = network();
  const norms = gradientNorms({ samples: 8 });
  const { epochs } = await model.fit(data, {
    engine,
    epochs: 3,
    batchSize: 8,
    validation: data,
    callbacks: [norms],
  });
  assert.deepEqual(
    norms.norms.map(({ epoch, layer }) => `${epoch} ${layer}`),
    ['1 conv2d', '1 dense', '2 conv2d', '2 dense', '3 conv2d', '3 dense'],
  );
  const evaluation = await evaluateClassifier(model, data, { engine });
  return trainingReportHtml({
    title: 'A run </title><script>alert(2)</script>',
    lead: 'Of "a" & <b>.',
    configuration: { data: '</td><script>alert(3)</script>', epochs: 3, augmentation: undefined },
    summary: model.summary({ threads: 1 }),
    parameters: model.parameterCount,
    records: epochs,
    bestEpoch: 2,
    gradientNorms: norms.norms,
    evaluation,
    pictures: await modelPictures(model, data, { ...evaluation, engine }),
    footer: 'weights <abc>',
  });
}

const html = await report();

describe('a report', () => {
  test('has every section', () => {
    const headings = [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1]);
    assert.deepEqual(headings, [
      'Training',
      'Evaluation on the test set',
      'What was taken for what',
      'Are the probabilities right?',
      'Predictions',
      'The surest mistakes',
      'Where it looks (Grad-CAM)',
      'Filters of conv2d',
      'Feature maps',
      'Configuration',
      'Model',
      'All epochs',
      'Reproducing it',
    ]);
    assert.doesNotMatch(html, /NaN|undefined/);
  });

  test('says of each picture and chart what it is', () => {
    const images = [...html.matchAll(/<img [^>]*>/g)].map(([image]) => image);
    assert.ok(images.length > 30);
    for (const image of images) assert.match(image, / alt="[^"]+"/);
    assert.match(html, /alt="conv2d, 2 of 4"/);
    const charts = [...html.matchAll(/<figure class="chart"([^>]*)>/g)].map((match) => match[1]!);
    assert.ok(charts.length > 4);
    for (const chart of charts) assert.match(chart, / aria-label="[^"]+"/);
  });

  test('breaks no option of the command at its hyphens', async () => {
    const page = await trainingReportHtml({ title: 'N', records: [], footer: 'npm run x -- --a-b=<1>' });
    assert.match(page, /<span class="word">--a-b=&lt;1&gt;<\/span>/);
  });

  test('asks for nothing from a network, and has no script', () => {
    const addresses = [...html.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"'\s>)]{1,40})/g)].map(
      (match) => match[1]!,
    );
    assert.ok(addresses.length > 20);
    for (const address of addresses) assert.match(address, /^(?:data:|#|&#39;|x$)/);
    assert.doesNotMatch(html, /<script/i);
    assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
  });

  test('leaves out what it was not given', async () => {
    const bare = await trainingReportHtml({ title: 'Nothing yet', records: [] });
    assert.doesNotMatch(bare, /<section>/);
    assert.match(bare, /<h1>Nothing yet<\/h1>/);
  });

  test('of a run of one epoch without validation can be drawn', async () => {
    const record = { epoch: 1, loss: 2, accuracy: 0.5, learningRate: 0.1, seconds: 1, imagesPerSecond: 9 };
    const short = await trainingReportHtml({ title: 'One', records: [record] });
    assert.match(short, /Loss: training 2\.000/);
    assert.doesNotMatch(short, /NaN|undefined/);
  });

  test('of numbers has no accuracy, and of outputs the loss of each', async () => {
    const where = { epoch: 1, learningRate: 0.1, seconds: 1, imagesPerSecond: 9 };
    const numbers = { loss: 2, accuracy: Number.NaN, meanAbsoluteError: 0.75, outputs: { box: { loss: 3 } } };
    const checked = { valLoss: 2.5, valAccuracy: Number.NaN, valMeanAbsoluteError: 0.875 };
    const html = await trainingReportHtml({ title: 'N', records: [{ ...where, ...numbers, ...checked }] });
    assert.match(html, /loss of box/);
    assert.match(html, /0\.8750/);
    assert.doesNotMatch(html, /NaN|undefined|accuracy|Accuracy/);
  });
});

describe('in a browser', { skip: withoutBrowser }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faltung-test-'));
  const file = path.join(folder, 'report.html');
  let browser: Browser | undefined;

  before(async () => {
    writeFileSync(file, html);
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  for (const [colorScheme, width] of [
    ['light', 1200],
    ['dark', 390],
  ] as const) {
    test(`renders ${colorScheme}, ${width} wide, with no error, no request, nothing that sticks out`, async () => {
      const page = await browser!.newPage({ colorScheme, viewport: { width, height: 800 } });
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('dialog', (dialog) => {
        complaints.push(dialog.message());
        return dialog.dismiss();
      });
      page.on('request', (request) => {
        if (!request.url().startsWith('data:')) requests.push(request.url());
      });
      await page.goto(pathToFileURL(file).href);
      const found = (await page.evaluate(`(async () => {
        const images = [...document.images];
        await Promise.all(images.map((image) => image.decode()));
        return {
          images: images.length,
          drawn: images.every((image) => image.naturalWidth > 0),
          charts: document.querySelectorAll('.chart svg').length,
          width: document.documentElement.scrollWidth,
          paper: getComputedStyle(document.body).backgroundColor,
          ink: getComputedStyle(document.querySelector('.chart svg text')).fill,
        };
      })()`)) as Record<string, unknown>;
      assert.deepEqual(complaints, []);
      assert.deepEqual(requests, [pathToFileURL(file).href]);
      assert.ok((found.images as number) > 30);
      const [paper, ink] =
        colorScheme === 'light'
          ? ['rgb(255, 255, 255)', 'rgb(29, 35, 42)']
          : ['rgb(20, 24, 29)', 'rgb(227, 231, 235)'];
      assert.deepEqual({ ...found, images: 0 }, { images: 0, drawn: true, charts: 6, width, paper, ink });
      await page.close();
    });
  }
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, calibration, classificationReport, confusionMatrix } from '../../src/index.ts';
import {
  classBars,
  confusionChart,
  gradientNormChart,
  learningRateChart,
  reliabilityDiagram,
  renderSvg,
  svgToPng,
  trainingCurves,
} from '../../src/report/index.ts';
import { installed } from '../../src/report/render.ts';

const records = [1, 2, 3].map((epoch) => ({
  epoch,
  loss: 2 / epoch,
  accuracy: 0.2 * epoch,
  valLoss: 2.5 / epoch,
  valAccuracy: 0.15 * epoch,
  learningRate: 0.1 / epoch,
}));
const labels = [0, 0, 1, 2, 2, 2];
const answers = [0, 1, 1, 2, 2, 0];
const classNames = ['a & b', 'bird', 'cat'];

/** The words of an SVG, in its order. */
function words(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!);
}

describe('charts', () => {
  test('training curves have both series, the last values and the best epoch', async () => {
    const svg = await renderSvg(trainingCurves(records, { bestEpoch: 2 }));
    const text = words(svg);
    assert.ok(text.includes('Loss: training 0.667, validation 0.833'));
    assert.ok(text.includes('Accuracy: training 0.600, validation 0.450'));
    assert.ok(text.includes('Dashed: the best epoch, 2.'));
    assert.equal(svg.match(/stroke-dasharray="4,4"/g)?.length, 2);
    assert.equal(svg.match(/stroke="#0072b2"/g)?.length, svg.match(/stroke="#d55e00"/g)?.length);
  });

  test('ticks are whole epochs, about ten at most', async () => {
    const many = Array.from({ length: 90 }, (_, i) => ({ ...records[0]!, epoch: i + 1 }));
    const ticks = words(await renderSvg(learningRateChart(many))).filter((word) => /^\d+$/.test(word));
    assert.deepEqual(
      ticks.filter((tick) => tick !== '0'),
      ['1', '10', '20', '30', '40', '50', '60', '70', '80', '90'],
    );
  });

  test('the confusion matrix has a number in each cell, rows being the truth', async () => {
    const matrix = confusionMatrix(labels, answers, { classNames });
    const text = words(await renderSvg(confusionChart(matrix)));
    assert.ok(text.includes('a &amp; b'));
    const numbers = text.filter((word) => /^\d$/.test(word)).map(Number);
    assert.deepEqual(numbers, matrix.counts.flat());
  });

  test('the confusion matrix of many classes has none', async () => {
    const wide = confusionMatrix([0, 99], [99, 0], { classes: 100 });
    const svg = await renderSvg(confusionChart(wide));
    assert.equal(
      svg.match(/aria-roledescription="rect mark"/g)?.length ?? 0,
      svg.match(/<path aria-label="answer/g)?.length ?? 0,
    );
    assert.ok(svg.length < 4e6);
  });

  test('bars are as long as the figures', async () => {
    const report = classificationReport(labels, answers, { classNames });
    const svg = await renderSvg(classBars(report));
    const bars = [
      ...svg.matchAll(/aria-label="([^"]*)"[^>]*aria-roledescription="bar" d="M[^"]*?h([\d.]+)v/g),
    ];
    assert.equal(bars.length, 9);
    for (const { name, recall } of report.classes) {
      const label = name.replace('&', '&amp;');
      const bar = bars.find(([, text]) => text!.includes(label) && text!.includes('recall'));
      // The axis is 240 units long.
      assert.ok(Math.abs(Number(bar![2]) - 240 * recall) < 0.01, `${name}: ${bar}`);
    }
  });

  test('the reliability diagram names the error', async () => {
    const data = Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.55, 0.45);
    const found = calibration([0, 1, 0, 1], { shape: [4, 2], data });
    const svg = await renderSvg(reliabilityDiagram(found));
    assert.ok(svg.includes(`>Expected calibration error ${(100 * found.expectedError).toFixed(1)}%.<`));
  });

  test('gradient norms leave zeros out of the logarithmic axis', async () => {
    const norms = [0, 1].flatMap((norm) => [1, 2].map((epoch) => ({ epoch, layer: `layer ${norm}`, norm })));
    const svg = await renderSvg(gradientNormChart(norms));
    assert.doesNotMatch(svg, /NaN|Infinity/);
  });

  test('gradient norms of 28 layers have 28 different lines', async () => {
    const layers = Array.from({ length: 28 }, (_, i) => `layer ${i}`);
    const norms = layers.flatMap((layer) => [1, 2].map((epoch) => ({ epoch, layer, norm: epoch })));
    const svg = await renderSvg(gradientNormChart(norms));
    const lines = [...svg.matchAll(/aria-roledescription="line mark"[^>]*/g)].map(([line]) => {
      const [, colour] = line.match(/stroke="([^"]*)"/)!;
      return `${colour} ${line.match(/stroke-dasharray="([^"]*)"/)?.[1]}`;
    });
    assert.equal(new Set(lines).size, 28);
  });

  test('all of them fit into the width of a phone, or nearly, with ten classes of common names', async () => {
    const names = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
    const all = names.map((_, i) => i);
    const specs = {
      lines: learningRateChart(records),
      bars: classBars(classificationReport(all, all, { classNames: names })),
      confusion: confusionChart(confusionMatrix(all, all, { classNames: names })),
    };
    for (const [name, spec] of Object.entries(specs)) {
      const svg = await renderSvg(spec, { surface: 'page' });
      const width = Number(svg.match(/ width="(\d+)"/)![1]);
      assert.ok(width > 200 && width <= 400, `${name}: ${width}`);
    }
  });
});

describe('rendering', () => {
  test('equal specifications give equal text, and in a page no colour of a page', async () => {
    assert.equal(await renderSvg(trainingCurves(records)), await renderSvg(trainingCurves(records)));
    const svg = await renderSvg(trainingCurves(records), { surface: 'page' });
    assert.match(svg, /fill="currentColor"/);
    assert.doesNotMatch(svg, /fill="(?:white|#fff)/);
    const matrix = confusionChart(confusionMatrix(labels, answers, { classNames }));
    const [white, page] = [await renderSvg(matrix), await renderSvg(matrix, { surface: 'page' })];
    const cells = (text: string) =>
      [...text.matchAll(/aria-roledescription="rect mark"[^>]* fill="([^"]*)"/g)].map(([, fill]) => fill!);
    assert.equal(cells(white).length, 9);
    assert.ok(cells(white).every((fill) => fill.startsWith('rgb(')));
    assert.ok(cells(page).every((fill) => fill === 'rgb(11, 92, 148)' || fill.startsWith('rgba(')));
  });

  test('PNG has the size asked for', async (t) => {
    const sharp = await import('sharp').catch(() => undefined);
    if (sharp === undefined) return t.skip('sharp is not installed');
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10"/></svg>';
    const { width, height, format } = await sharp.default(await svgToPng(svg, { scale: 3 })).metadata();
    assert.deepEqual([width, height, format], [60, 30, 'png']);
    await assert.rejects(svgToPng(svg, { scale: 0 }), /svgToPng: scale: expected a number above 0/);
  });

  test('a package that is missing is named, with the command that brings it', async () => {
    const missing = installed('renderSvg', 'vega', () => import(`${'no-such'}-package`));
    await assert.rejects(missing, (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(
        error.message,
        /^renderSvg: packages: expected vega to be installed, got .*no-such-package.*\(npm install vega\)$/,
      );
      return true;
    });
  });
});

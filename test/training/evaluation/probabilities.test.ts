import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  argMax,
  arrayDataset,
  calibration,
  labelsOf,
  mostConfidentMistakes,
  topKAccuracy,
} from '../../../src/index.ts';
import { smallDataset } from '../../helpers/conformance-data.ts';
import { assertClose, CASES, predictionOf } from './fixture.ts';

for (const example of CASES) {
  describe(`as in scikit-learn: ${example.name}`, () => {
    const prediction = predictionOf(example);

    test('top-k accuracy for every k', () => {
      example.topK.forEach((expected, i) => {
        if (expected !== null) assert.equal(topKAccuracy(example.labels, prediction, i + 1), expected);
      });
    });

    test('calibration: what each bin holds, and the expected error', () => {
      const { bins, expectedError } = calibration(example.labels, prediction, { bins: example.bins });
      assert.deepEqual(
        bins.map(({ count }) => count),
        example.binCounts,
      );
      const filled = bins.filter(({ count }) => count > 0);
      filled.forEach(({ accuracy, confidence }, i) => {
        assert.equal(accuracy, example.binAccuracy[i]);
        assertClose(confidence, example.binConfidence[i]!, example.labels.length, `bin ${i}`);
      });
      const additions = example.labels.length + 2 * example.bins;
      assertClose(expectedError, example.expectedError, additions, 'expected error');
    });
  });
}

describe('topKAccuracy', () => {
  const prediction = { shape: [2, 3], data: Float32Array.of(0.4, 0.4, 0.2, 0.3, 0.3, 0.4) };

  test('takes the lower class first among equals, as argMax does', () => {
    assert.deepEqual([...argMax(prediction)], [0, 2]);
    assert.equal(topKAccuracy([1, 1], prediction, 1), 0);
    assert.equal(topKAccuracy([0, 1], prediction, 2), 0.5);
    assert.equal(topKAccuracy([1, 0], prediction, 2), 1);
    assert.equal(topKAccuracy([2, 1], prediction, 3), 1);
  });

  test('refuses a k without sense, labels that do not fit, and NaN', () => {
    const refuses = (pattern: RegExp, ...args: Parameters<typeof topKAccuracy>) =>
      assert.throws(() => topKAccuracy(...args), pattern);
    refuses(/topKAccuracy: k: expected a whole number from 1 to 3.*, got 4/, [0, 1], prediction, 4);
    refuses(/topKAccuracy: labels: expected 2 class indices, got 1/, [0], prediction, 1);
    refuses(/topKAccuracy: labels\[0\]: expected a class index below 3, got -1/, [-1, 0], prediction, 1);
    const bad = { shape: [2, 2], data: Float32Array.of(0, 1, 0, Number.NaN) };
    refuses(/prediction of sample 1: expected numbers, got NaN/, [0, 1], bad, 1);
    const flat = { shape: [4], data: new Float32Array(4) };
    refuses(/prediction: expected outputs \[N, classes\], got \[4\] with 4 numbers/, [0], flat, 1);
  });
});

describe('calibration', () => {
  const labels = [0, 0, 0, 0];
  const of = (...confidences: number[]) => ({
    shape: [confidences.length, 2],
    data: Float32Array.from(confidences.flatMap((p) => [p, 1 - p])),
  });

  test('is perfect where three of four answers of 75% are right', () => {
    const { expectedError, maximumError } = calibration([0, 0, 0, 1], of(0.75, 0.75, 0.75, 0.75));
    assert.equal(expectedError, 0);
    assert.equal(maximumError, 0);
  });

  test('puts a confidence on an edge into the lower bin, and 1 into the last one', () => {
    const { bins } = calibration(labels, of(0.5, 0.75, 0.75, 1), { bins: 4 });
    assert.deepEqual(
      bins.map(({ count }) => count),
      [0, 1, 2, 1],
    );
    assert.ok(Number.isNaN(bins[0]!.accuracy));
    assert.deepEqual([bins[3]!.from, bins[3]!.to], [0.75, 1]);
  });

  test('refuses outputs that are no probabilities', () => {
    assert.throws(
      () => calibration([0], { shape: [1, 2], data: Float32Array.of(3, -1) }),
      /calibration: prediction of sample 0: expected probabilities from 0 to 1, got 3 \(end the model with a/,
    );
    assert.throws(() => calibration(labels, of(1, 1, 1, 1), { bins: 0 }), /bins: expected a whole number/);
  });
});

describe('mostConfidentMistakes', () => {
  const prediction = { shape: [4, 2], data: Float32Array.of(0.75, 0.25, 0.125, 0.875, 0.25, 0.75, 0.5, 0.5) };

  test('gives the surest first, with what the truth got, equal ones in order', () => {
    const mistakes = mostConfidentMistakes([1, 1, 0, 1], prediction);
    assert.deepEqual(mistakes, [
      { index: 0, label: 1, predicted: 0, confidence: 0.75, labelProbability: 0.25 },
      { index: 2, label: 0, predicted: 1, confidence: 0.75, labelProbability: 0.25 },
      { index: 3, label: 1, predicted: 0, confidence: 0.5, labelProbability: 0.5 },
    ]);
    assert.equal(mostConfidentMistakes([1, 1, 0, 1], prediction, { count: 1 }).length, 1);
    assert.deepEqual(mostConfidentMistakes([0, 1, 1, 0], prediction), []);
  });

  test('refuses a senseless count', () => {
    assert.throws(
      () => mostConfidentMistakes([], prediction, { count: 0.5 }),
      /count: expected a whole number/,
    );
  });
});

describe('labelsOf', () => {
  test('masks are refused: they have no label a sample', async () => {
    const inputs = new Float32Array(8);
    const masks = arrayDataset({
      inputs,
      inputShape: [2, 2, 1],
      targets: new Int32Array(8),
      targetShape: [2, 2],
      classes: 2,
    });
    await assert.rejects(
      labelsOf(masks),
      /labelsOf: dataset.targets: expected one class a sample, got masks \[2, 2\]/,
    );
  });

  test('reads the class indices of all samples in order', async () => {
    const targets = Int32Array.from({ length: 1100 }, (_, i) => (i * 7) % 5);
    const inputs = new Uint8Array(1100 * 2);
    assert.deepEqual(await labelsOf(arrayDataset({ inputs, inputShape: [2], targets })), targets);
    assert.equal((await labelsOf(smallDataset(3))).length, 3);
  });

  test('takes the largest of dense targets', async () => {
    const targets = Float32Array.of(0, 1, 0, 0.5, 0.25, 0.25);
    const data = arrayDataset({ inputs: new Float32Array(2), inputShape: [1], targets, targetShape: [3] });
    assert.deepEqual([...(await labelsOf(data))], [1, 0]);
  });
});

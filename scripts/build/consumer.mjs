// @ts-check
/**
 * A user's first program, run against the packed package by smoke.ts on the system's own Node, and checked
 * against the package's declarations. It trains one epoch of a small network on drawn images with one and
 * with two threads: the loss must be finite and the weights equal, bit for bit. Then it fetches the page of a run.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { adam, conv2d, dense, flatten, maxPooling2d, sequential } from 'faltung';
import { trainingUi } from 'faltung/ui';

/** Images of 8 x 8 x 3 whose brightness depends on their class. */
const dataset = /** @type {const} @satisfies {import('faltung').Dataset} */ ({
  size: 64,
  inputShape: [8, 8, 3],
  inputType: 'float32',
  targets: { kind: 'index', classes: 4 },
  read(/** @type {Uint32Array} */ indices, /** @type {import('faltung').BatchBuffer} */ into) {
    const values = 8 * 8 * 3;
    indices.forEach((sample, position) => {
      into.targets[position] = sample % 4;
      for (let i = 0; i < values; i++) {
        into.inputs[position * values + i] = (((sample * 31 + i * 17) % 64) / 64) * (1 + (sample % 4));
      }
    });
  },
});

/** @param {number} threads */
async function train(threads) {
  const model = sequential({ inputShape: [8, 8, 3], seed: 21 }, [
    conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 4, activation: 'softmax' }),
  ]);
  const loss = 'categoricalCrossentropy';
  const history = await model.fit(dataset, { optimizer: adam(), loss, epochs: 1, batchSize: 8, threads });
  const hash = createHash('sha256');
  for (const array of arraysIn(await model.getWeights())) {
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }
  await model.close();
  return { loss: history.epochs[0]?.loss, weights: hash.digest('hex') };
}

/**
 * Every Float32Array in a value, in order.
 * @param {unknown} value
 * @returns {Float32Array[]}
 */
function arraysIn(value) {
  if (value instanceof Float32Array) return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(arraysIn) : [];
}

const one = await train(1);
const two = await train(2);
assert.ok(Number.isFinite(one.loss), `the loss after one epoch is ${one.loss}`);
assert.deepEqual(two, one, 'two threads gave another result than one');
console.log(
  `trained on Node ${process.versions.node}: loss ${one.loss}, weights ${one.weights.slice(0, 16)}...`,
);

const ui = await trainingUi();
for (const path of ['/', '/style.css', '/client.mjs', '/charts.mjs', '/uplot.js', '/uplot.css']) {
  const response = await fetch(new URL(path, ui.url));
  assert.equal(response.status, 200, path);
  assert.ok((await response.text()).length > 100, path);
}
await ui.close();

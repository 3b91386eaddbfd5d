/**
 * The notebook's network against PyTorch, through the public API: outputs, all gradients, and ten steps of SGD,
 * plain and with Nesterov's momentum, in each setting of `numerics`. Dropout is off; the parameters and images are
 * the fixture's.
 *
 * The rule (numerics, "Tolerance"): the error against PyTorch's f64 is at most 3 times that of PyTorch's own f32,
 * and the five largest outputs of each image are the same. 'direct' and 'accurate' (F(2,3)) meet it everywhere.
 *
 * 'fast' (F(4,3)) meets it in the outputs, in the losses, in the dense layers and after ten plain steps, but not in
 * the gradients that come back through F(4,3): there it was measured at 1.0 (conv6/bias) to 8.7 (conv5/bias) times
 * PyTorch's error, and at 3.0 and 3.7 in two biases after ten steps with momentum. Two gates hold these:
 *
 *   12 times PyTorch's error  the rule's 3 times 4.0, the RMS error of F(4,3) at the points 0, +-1, +-2 over that of
 *                             direct sums (numerics, item 16), which are what PyTorch computes
 *   2e-5 in relative L2       item 15's gate of a single F(4,3) pass, though up to ten of them lie behind a gradient
 *                             (measured: at most 4.9e-6); of a parameter, its change, a sum of gradients, is held to it
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  cifarNotebook,
  createEngine,
  defineLayer,
  dense,
  type Engine,
  type Layer,
  type SequentialOptions,
  sequential,
  sgd,
} from '../../src/index.ts';
import type { CopyViewSpec } from '../../src/kernels/copy-view.ts';
import { denseView } from '../../src/tensor/view.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { drawValues, loadFixture, sampleLike } from '../helpers/fixture.ts';
import type { Values } from '../helpers/oracle.ts';
import { relativeL2 } from '../helpers/tolerance.ts';
import { assertNearAsTorch, assertWholeNearAsTorch, MOST_TIMES_TORCH } from './against-torch.ts';

const fixture = loadFixture('notebook');
const { json } = fixture;
const NAMES = Object.keys(json.parameters);
const BATCH = 4;
const IMAGE = 32 * 32 * 3;
const CLASSES = 10;

/** RMS error of F(4,3) at the points 0, +-1, +-2 over that of direct sums. */
const WINOGRAD_ERROR = 4;
/** Gate of the relative L2 error of one F(4,3) pass. */
const WINOGRAD_GATE = 2e-5;

const engine = createEngine({ threads: 2 });
const scalar = createEngine({ threads: 2, engine: 'scalar' });
after(async () => {
  await engine.close();
  await scalar.close();
});

/** The fixture's `conv1/weight` is our `conv2d/weight`, `conv2/weight` our `conv2d_1/weight`, and so on. */
function ourName(name: string): string {
  const [, kind, number, parameter] = /^(conv|dense)(\d)\/(\w+)$/.exec(name)!;
  const type = kind === 'conv' ? 'conv2d' : 'dense';
  return `${number === '1' ? type : `${type}_${Number(number) - 1}`}/${parameter}`;
}

const start = Object.fromEntries(NAMES.map((name) => [name, drawValues(json.seed, json.parameters[name]!)]));
const startWeights = Object.fromEntries(NAMES.map((name) => [ourName(name), start[name]!]));

function batch(step: number) {
  const inputs = drawValues(json.seed, json.images, step * BATCH * IMAGE);
  return { inputs, targets: Int32Array.from(json.labels[step]!) };
}

type Numerics = NonNullable<SequentialOptions['numerics']>;

/** The notebook's layers without dropout. */
const layers = (): Layer[] => cifarNotebook().filter(({ type }) => type !== 'dropout');

function network(numerics: Numerics, list: readonly Layer[] = layers()) {
  const model = sequential({ inputShape: [32, 32, 3], numerics }, list);
  model.setWeights(startWeights);
  return model;
}

/** Passes images on; its parameter's gradient is that of the image, in a batch of one. */
const probe = defineLayer<Record<string, never>, Record<string, never>>({
  type: 'probe',
  resolve: () => ({}),
  outputShape: (_config, [input]) => input!,
  parameters: (_config, [input]) => [{ name: 'image', shape: input!, initializer: 'zeros' }],
  forward({ inputs: [input], output, call }) {
    const spec: CopyViewSpec = {
      kind: 'copyView',
      input: input!.view,
      output: output.view,
      accumulate: false,
    };
    call(spec, [input!.origin, output.origin, 'count']);
  },
  backward({ gradOutput, gradParameter, call }) {
    const { origin, accumulate } = gradParameter('image')!;
    const { height, width, channels } = gradOutput.view;
    const output = denseView(height, width, channels);
    const spec: CopyViewSpec = { kind: 'copyView', input: gradOutput.view, output, accumulate };
    call(spec, [gradOutput.origin, origin, 'count']);
  },
  examples: [],
});

/** The outputs of step 0 before softmax. */
async function logitsOf(numerics: Numerics): Promise<Float32Array> {
  await using model = network(numerics, [...layers().slice(0, -1), dense({ units: CLASSES })]);
  return (await model.predict(batch(0).inputs, { engine })).data;
}

/** The gradient of step 0's mean loss with respect to the images. */
async function imageGradient(numerics: Numerics): Promise<Float32Array> {
  await using model = network(numerics, [probe({}), ...layers()]);
  const { inputs, targets } = batch(0);
  const gradient = new Float32Array(inputs.length);
  for (let n = 0; n < BATCH; n++) {
    const one = { inputs: inputs.slice(n * IMAGE, (n + 1) * IMAGE), targets: targets.slice(n, n + 1) };
    const { gradients } = await model.gradientsOnBatch(one, { engine });
    gradient.set(
      gradients['probe/image']!.data.map((value) => value / BATCH),
      n * IMAGE,
    );
  }
  return gradient;
}

/** Loss and gradients of step 0, these by the fixture's names. */
async function gradientsOf(numerics: Numerics, on: Engine) {
  await using model = network(numerics);
  const { loss, gradients } = await model.gradientsOnBatch(batch(0), { engine: on });
  return { loss, gradients: Object.fromEntries(NAMES.map((name) => [name, gradients[ourName(name)]!.data])) };
}

/** Losses before each of the ten steps of a run, and the parameters after them, by the fixture's names. */
async function trained(numerics: Numerics, run: string) {
  await using model = network(numerics);
  const optimizer = sgd(json.runs[run]!);
  const losses: number[] = [];
  for (let step = 0; step < json.labels.length; step++) {
    losses.push((await model.trainOnBatch(batch(step), { engine, optimizer })).loss);
  }
  const weights = model.getWeights();
  return {
    losses,
    parameters: Object.fromEntries(NAMES.map((name) => [name, weights[ourName(name)]!.data])),
  };
}

/** The classes of an image's five largest outputs, the largest first. */
function largestFive(outputs: ArrayLike<number>, image: number): number[] {
  const at = (i: number) => outputs[image * CLASSES + i]!;
  return Array.from({ length: CLASSES }, (_, i) => i)
    .sort((a, b) => at(b) - at(a))
    .slice(0, 5);
}

/** The rule for what comes back through F(4,3); of a trained parameter, `begin` is where it started. */
function assertNearByWinograd(
  group: string,
  name: string,
  whole: Float32Array,
  begin?: Float32Array,
): number {
  const key = `${group}/${name}`;
  const truth = fixture.tensor(`f64/${key}`).data;
  const sample = sampleLike(json, name, whole);
  const ratio = relativeL2(sample, truth) / relativeL2(fixture.tensor(`f32/${key}`).data, truth);
  assert.ok(
    ratio <= WINOGRAD_ERROR * MOST_TIMES_TORCH,
    `${key}: error is ${ratio} times that of PyTorch's f32`,
  );
  const sampledStart = begin && sampleLike(json, name, begin);
  const change = (values: Values, from: Values | undefined) =>
    Float64Array.from(values, (value, i) => value - (from?.[i] ?? 0));
  const error = relativeL2(change(sample, sampledStart), change(truth, sampledStart));
  assert.ok(error <= WINOGRAD_GATE, `${key}: relative L2 error is ${error}`);
  // What the fixture has of the elements between the sampled ones.
  const { norm } = json.summaries[`f64/${key}`]!;
  const size = Math.sqrt(change(whole, begin).reduce((sum, value) => sum + value * value, 0));
  assert.ok(Math.abs(size - norm) <= WINOGRAD_GATE * norm, `${key}: norm is ${size} instead of ${norm}`);
  return ratio;
}

/** Throws unless a gradient or a trained parameter is as near to f64 as it must be; returns error over PyTorch's. */
function assertNear(
  numerics: Numerics,
  group: string,
  name: string,
  whole: Float32Array,
  begin?: Float32Array,
): number {
  const isBehindWinograd = numerics === 'fast' && group !== 'sgd' && !name.startsWith('dense');
  if (isBehindWinograd) return assertNearByWinograd(group, name, whole, begin);
  return assertWholeNearAsTorch(fixture, group, name, whole, begin);
}

type FirstStep = Awaited<ReturnType<typeof gradientsOf>>;
const firstSteps = new Map<Numerics, Promise<FirstStep>>();

/** Loss and gradients of step 0 on the SIMD engine, computed once. */
function firstStep(numerics: Numerics): Promise<FirstStep> {
  const step = firstSteps.get(numerics) ?? gradientsOf(numerics, engine);
  firstSteps.set(numerics, step);
  return step;
}

for (const numerics of ['direct', 'accurate', 'fast'] as const) {
  describe(`the notebook's network with numerics '${numerics}'`, () => {
    it('has outputs and a loss as near to f64 as PyTorch, and the same largest five', async (t) => {
      const logits = await logitsOf(numerics);
      const truth = fixture.tensor('f64/logits').data;
      t.diagnostic(
        `outputs: ${assertNearAsTorch(fixture, 'logits', logits).toFixed(2)} times PyTorch's error`,
      );
      for (let n = 0; n < BATCH; n++) assert.deepEqual(largestFive(logits, n), largestFive(truth, n));
      // One number has no norm to speak of. Cross-entropy changes by at most twice the largest change of an output.
      const { loss } = await firstStep(numerics);
      const most = 2 * Math.max(...logits.map((value, i) => Math.abs(value - truth[i]!)));
      const error = Math.abs(loss - fixture.tensor('f64/loss').data[0]!);
      assert.ok(error <= most, `loss is off by ${error}, more than ${most}`);
    });

    it('has gradients as near to f64 as the rule asks', async (t) => {
      const { gradients } = await firstStep(numerics);
      const all = { ...gradients, images: await imageGradient(numerics) };
      const ratios = Object.entries(all).map(([name, gradient]) =>
        assertNear(numerics, 'gradient', name, gradient),
      );
      t.diagnostic(`at most ${Math.max(...ratios).toFixed(2)} times PyTorch's error`);
    });

    for (const run of Object.keys(json.runs)) {
      it(`has losses and parameters as near to f64 through ten steps of ${run}`, async (t) => {
        const { losses, parameters } = await trained(numerics, run);
        const ofLosses = assertNearAsTorch(fixture, `${run}/loss`, losses);
        const ratios = NAMES.map((name) => assertNear(numerics, run, name, parameters[name]!, start[name]));
        const [loss, parameter] = [ofLosses, Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
        t.diagnostic(`losses: ${loss}, parameters: at most ${parameter} times PyTorch's error`);
      });
    }
  });
}

for (const numerics of ['direct', 'fast'] as const) {
  it(`the scalar engine gives the same bits with numerics '${numerics}'`, async () => {
    const emitted = await firstStep(numerics);
    const plain = await gradientsOf(numerics, scalar);
    assert.equal(emitted.loss, plain.loss);
    for (const name of NAMES) assertSameBits(emitted.gradients[name]!, plain.gradients[name]!, name);
  });
}

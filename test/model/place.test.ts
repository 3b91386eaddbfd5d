import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { activation, conv2d, dense } from '../../src/layers/index.ts';
import type { PlannedBuffer, PlannedCall } from '../../src/layers/layer.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { buffersOf, type PlacedProgram, placeProgram } from '../../src/model/place.ts';
import { type Plan, planProgram } from '../../src/model/plan.ts';
import type { View } from '../../src/tensor/view.ts';
import { lossPlan } from '../../src/training/loss-plans.ts';
import { adam } from '../../src/training/optimizers.ts';
import { SEED } from '../helpers/arbitraries.ts';
import { PLAIN_INPUT } from '../helpers/conformance-model.ts';
import { networks, withClassifier } from '../helpers/conformance-networks.ts';

const BASE = 8192;
const WORKERS = 3;

/** Plans of training, evaluation and prediction, and how many samples they take. */
const plans = fc
  .record({
    network: networks,
    mode: fc.constantFrom('train', 'train', 'evaluate', 'predict' as const),
    batchSize: fc.integer({ min: 1, max: 9 }),
    shardSize: fc.integer({ min: 1, max: 3 }),
    augmented: fc.boolean(),
  })
  .map(({ network, mode, augmented, ...sizes }) => {
    const graph = sequentialGraph(network.inputShape, withClassifier(network));
    const plan = planProgram(graph, {
      mode,
      ...sizes,
      input: { ...PLAIN_INPUT, augmented },
      targets: { kind: 'index', length: 1 },
      ...(mode !== 'predict' && { loss: lossPlan('categoricalCrossentropy', 'index') }),
      ...(mode === 'train' && { optimizer: adam().plan }),
      seed: 0,
    });
    return { plan, [fc.toStringMethod]: () => JSON.stringify({ mode, augmented, ...sizes, graph }) };
  });

function place(plan: Plan): { placed: PlacedProgram; buffers: PlannedBuffer[] } {
  const phases = [plan.prepare, ...plan.phases];
  const buffers = buffersOf(phases);
  return { placed: placeProgram(plan, phases, () => 1024, BASE), buffers };
}

/** Bytes of a buffer from its first element to its last. */
function bytesOf(buffer: PlannedBuffer, samples: number): number {
  return buffer.fixedBytes + buffer.sampleBytes * samples;
}

interface Range {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Every place that a step may touch outside of the model's buffers, each worker's scratch as one. */
function rangesOf(plan: Plan, placed: PlacedProgram, buffers: readonly PlannedBuffer[]): Range[] {
  const { batchSize } = plan.options;
  const ranges: Range[] = [];
  const add = (name: string, start: number, bytes: number) =>
    ranges.push({ name, start, end: start + bytes });
  for (const buffer of buffers) {
    const { name, scope, originBytes } = buffer;
    const start = () => placed.addressOf(buffer) - originBytes;
    const bytes = bytesOf(buffer, batchSize);
    if (scope === 'program' || scope === 'batch') add(name, start(), bytes);
    for (let shard = 0; scope === 'shard' && shard < plan.shards; shard++) {
      add(`${name} of shard ${shard}`, start() + shard * plan.shardStrideBytes, bytes);
    }
    for (let slot = 0; scope === 'slot' && slot < 2; slot++) {
      add(`${name} of slot ${slot}`, placed.slotBase + slot * placed.slotBytes + start(), bytes);
    }
  }
  for (let worker = 0; worker < WORKERS; worker++) {
    add(`scratch of worker ${worker}`, placed.workerBase + worker * placed.workerBytes, placed.workerBytes);
  }
  return ranges.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start);
}

test('no two buffers, slots, shards or workers share a byte, and all lie in the region that is asked for', () => {
  const property = fc.property(plans, ({ plan }) => {
    const { placed, buffers } = place(plan);
    const ranges = rangesOf(plan, placed, buffers);
    let last: Range = { name: 'the model', start: 0, end: BASE };
    for (const range of ranges) {
      assert.ok(range.start >= last.end, `${range.name} begins within ${last.name}`);
      assert.equal(range.start % 64, 0, `${range.name} does not begin at a cache line`);
      last = range;
    }
    assert.ok(last.end <= BASE + placed.transientBytes(WORKERS), `${last.name} ends beyond the region`);
  });
  fc.assert(property, { numRuns: 150, seed: SEED });
});

/**
 * Goes through the calls of a shard: a buffer takes its memory at the call that names it first, and must still
 * have all of it at the call that names it last.
 */
function checkLifetimes(calls: readonly PlannedCall[], plan: Plan, placed: PlacedProgram): void {
  const owner = new Array<PlannedBuffer | undefined>(placed.workerBytes / 4);
  const seen = new Set<PlannedBuffer>();
  const wordsOf = (buffer: PlannedBuffer) => {
    const first = (placed.addressOf(buffer) - buffer.originBytes) / 4;
    return { first, end: first + bytesOf(buffer, plan.options.shardSize) / 4 };
  };
  for (const { spec, operands } of calls) {
    const named = operands.flatMap((operand) =>
      typeof operand === 'object' && operand.buffer.scope === 'unit' ? [operand.buffer] : [],
    );
    for (const buffer of named.filter((each) => !seen.has(each))) {
      const { first, end } = wordsOf(buffer);
      assert.ok(first >= 0 && end <= owner.length, `${buffer.name} leaves the scratch`);
      owner.fill(buffer, first, end);
      seen.add(buffer);
    }
    for (const buffer of named) {
      const { first, end } = wordsOf(buffer);
      const other = owner.slice(first, end).find((each) => each !== buffer);
      assert.equal(
        other,
        undefined,
        `${spec.kind} names ${buffer.name}, which ${other?.name} has overwritten`,
      );
    }
  }
}

/** Words of a buffer with a halo that no kernel writes. */
function haloWords(buffer: PlannedBuffer, samples: number): Set<number> {
  const view = JSON.parse(buffer.layout) as View;
  const words = new Set(Array.from({ length: bytesOf(buffer, samples) / 4 }, (_, i) => i));
  const origin = buffer.originBytes / 4;
  for (let n = 0; n < samples; n++) {
    for (let y = 0; y < view.height; y++) {
      for (let x = 0; x < view.width; x++) {
        const pixel = origin + n * view.imageStride + y * view.rowStride + x * view.pixelStride;
        for (let c = 0; c < view.channels; c++) words.delete(pixel + c);
      }
    }
  }
  return words;
}

/** The words of a unit's scratch that some kernel may write. */
function writtenWords(
  buffers: readonly PlannedBuffer[],
  samples: number,
  placed: PlacedProgram,
): Set<number> {
  const written = new Set<number>();
  for (const buffer of buffers) {
    const start = (placed.addressOf(buffer) - buffer.originBytes) / 4;
    const halo = buffer.layout === '' ? new Set<number>() : haloWords(buffer, samples);
    for (let i = 0; i < bytesOf(buffer, samples) / 4; i++) if (!halo.has(i)) written.add(start + i);
  }
  return written;
}

test('within a unit, memory passes from buffer to buffer only after its last use, and nobody writes to halos', () => {
  let [shared, withHalo] = [0, 0];
  const property = fc.property(plans, ({ plan }) => {
    const { placed, buffers } = place(plan);
    const { calls } = plan.phases.find(({ name }) => name === 'shards')!.units[0]!;
    checkLifetimes(calls, plan, placed);
    const samples = plan.options.shardSize;
    const units = buffers.filter(({ scope }) => scope === 'unit');
    const written = writtenWords(units, samples, placed);
    for (const buffer of units.filter(({ layout }) => layout !== '')) {
      const start = (placed.addressOf(buffer) - buffer.originBytes) / 4;
      for (const word of haloWords(buffer, samples)) {
        assert.ok(!written.has(start + word), `the halo of ${buffer.name} is written to`);
      }
      withHalo += 1;
    }
    const bytes = units.reduce((sum, buffer) => sum + bytesOf(buffer, samples), 0);
    if (placed.workerBytes < bytes) shared += 1;
  });
  fc.assert(property, { numRuns: 150, seed: SEED });
  assert.ok(shared > 50, `only ${shared} of 150 plans share memory: nothing was tried`);
  assert.ok(withHalo > 50, `only ${withHalo} buffers with halos: nothing was tried`);
});

test('prediction through a long chain needs the memory of three activations, not of all', () => {
  const chain = Array.from({ length: 20 }, () => activation({ function: 'relu' }));
  const graph = sequentialGraph([1000], [...chain, dense({ units: 1 })]);
  const plan = planProgram(graph, {
    mode: 'predict',
    batchSize: 4,
    shardSize: 4,
    input: PLAIN_INPUT,
    seed: 0,
  });
  const { placed } = place(plan);
  assert.ok(placed.workerBytes <= 3 * 16_064, `${placed.workerBytes} bytes`);
});

test('equal kernels are bound once', () => {
  const graph = sequentialGraph([8], [dense({ units: 8 }), dense({ units: 8 }), dense({ units: 8 })]);
  const plan = planProgram(graph, {
    mode: 'predict',
    batchSize: 4,
    shardSize: 1,
    input: PLAIN_INPUT,
    seed: 0,
  });
  const { kernels } = place(plan).placed.program;
  assert.equal(kernels.filter(({ kind }) => kind === 'denseForward').length, 1);
  assert.equal(new Set(kernels.map((spec) => JSON.stringify(spec))).size, kernels.length);
});

test('one large image in bands needs the memory of the activations that live at one time, not of all', () => {
  const convolution = () => conv2d({ filters: 16, kernelSize: 3, padding: 'same' });
  const bytes = (layers: number) => {
    const graph = sequentialGraph([64, 64, 16], Array.from({ length: layers }, convolution));
    const options = { mode: 'predict', batchSize: 1, shardSize: 1, input: PLAIN_INPUT, seed: 0 } as const;
    const plan = planProgram(graph, { ...options, numerics: 'direct' });
    assert.ok(plan.phases.some(({ name }) => name === 'bands'));
    return place(plan).placed.transientBytes(1);
  };
  assert.equal(bytes(12), bytes(4));
});

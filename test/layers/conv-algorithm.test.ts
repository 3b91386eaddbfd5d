/**
 * Which algorithm computes a convolution: a rule on shapes alone, overridden by a layer's `algorithm`; a model's
 * `numerics` is part of what decides the bits, and whatever it is, the gradients are right.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  cifarNotebook,
  conv2d,
  dense,
  flatten,
  type Layer,
  type SequentialOptions,
  sequential,
} from '../../src/index.ts';
import { type ConvAlgorithm, chooseTile, type Numerics } from '../../src/layers/conv-algorithm.ts';
import type { Conv2dOptions } from '../../src/layers/conv2d.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { type ConvOptions, convGeometry } from '../../src/tensor/convolution.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { check, convCases, randomNormals } from '../helpers/arbitraries.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { relativeL2 } from '../helpers/tolerance.ts';

const NUMERICS: readonly Numerics[] = ['direct', 'accurate', 'fast'];
const ALGORITHMS: readonly ConvAlgorithm[] = ['auto', 'direct', 'winograd2', 'winograd4'];

/** Any convolution, half of them 3x3 with strides, dilation and groups of 1; from few channels to many. */
const domains = {
  any: convCases({ inChannels: 10, outChannels: 10 }),
  fitting: convCases({ kernel: [3, 3], stride: 1, dilation: 1, groups: 1, inChannels: 40, outChannels: 40 }),
};
const geometries = fc.oneof(domains.any, domains.fitting).map(({ geometry }) => geometry);

const settings = fc.tuple(geometries, fc.constantFrom(...NUMERICS), fc.constantFrom(...ALGORITHMS));

test('the choice is a pure function of shape and settings', () => {
  check(settings, 300, ([geometry, numerics, algorithm]) => {
    const chosen = chooseTile(Object.freeze(geometry), numerics, algorithm);
    for (const others of NUMERICS) chooseTile(geometry, others, 'auto');
    assert.equal(chooseTile(structuredClone(geometry), numerics, algorithm), chosen);
  });
});

test("'direct' never picks Winograd, 'accurate' never F(4,3), in a model or a layer", () => {
  check(settings, 300, ([geometry, numerics]) => {
    assert.equal(chooseTile(geometry, 'direct', 'auto'), 0);
    assert.equal(chooseTile(geometry, numerics, 'direct'), 0);
    assert.notEqual(chooseTile(geometry, 'accurate', 'auto'), 4);
  });
});

test('where Winograd is picked it saves multiplications, and both sides have 16 channels or more', () => {
  let picked = 0;
  check(geometries, 300, (geometry) => {
    for (const numerics of NUMERICS) {
      const tile = chooseTile(geometry, numerics, 'auto');
      if (tile === 0) continue;
      const { outHeight, outWidth, inChannels, outChannels } = geometry;
      const tiles = Math.ceil(outHeight / tile) * Math.ceil(outWidth / tile);
      assert.ok((tile + 2) ** 2 * tiles < 9 * outHeight * outWidth);
      assert.ok(Math.min(inChannels, outChannels) >= 16);
      picked++;
    }
  });
  assert.ok(picked > 50, `picked only ${picked} times`);
});

const same = { kernelSize: 3, padding: 'same' } as const;
const tileOf = (shape: Shape, options: ConvOptions, numerics: Numerics, algorithm: ConvAlgorithm = 'auto') =>
  chooseTile(convGeometry('test', shape, options), numerics, algorithm);

test("3x3 convolutions of 16 channels and more go by F(4,3) at the usual sides, and by F(2,3) if 'accurate'", () => {
  for (const side of [8, 16, 32]) {
    for (const channels of [16, 17, 64, 512]) {
      const options = { ...same, filters: channels };
      assert.equal(tileOf([side, side, channels], options, 'fast'), 4);
      assert.equal(tileOf([side, side, channels], options, 'accurate'), 2);
      assert.equal(tileOf([side, side, channels], options, 'direct'), 0);
    }
  }
  // A tile that is mostly overhang is not worth it.
  assert.equal(tileOf([2, 2, 64], { ...same, filters: 64 }, 'fast'), 2);
  assert.equal(tileOf([1, 1, 64], { ...same, filters: 64 }, 'fast'), 0);
});

const DIRECT: readonly [why: string, channels: number, options: ConvOptions][] = [
  ['strides', 32, { ...same, filters: 32, strides: 2 }],
  ['strides in one direction', 32, { ...same, filters: 32, strides: [1, 2] }],
  ['dilation', 32, { ...same, filters: 32, dilationRate: 2 }],
  ['groups', 32, { ...same, filters: 32, groups: 2 }],
  ['a 5x5 kernel', 32, { ...same, filters: 32, kernelSize: 5 }],
  ['a 3x1 kernel', 32, { ...same, filters: 32, kernelSize: [3, 1] }],
];

test('strided, dilated, grouped and other than 3x3 convolutions stay direct, whatever is asked for', () => {
  for (const [why, channels, options] of DIRECT) {
    for (const numerics of NUMERICS) {
      for (const algorithm of ALGORITHMS) {
        assert.equal(tileOf([16, 16, channels], options, numerics, algorithm), 0, why);
      }
    }
  }
});

test('few channels stay direct unless a layer asks for Winograd', () => {
  for (const [inChannels, filters] of [
    [3, 32],
    [15, 64],
    [64, 15],
  ] as const) {
    const options = { ...same, filters };
    for (const numerics of NUMERICS) {
      assert.equal(tileOf([16, 16, inChannels], options, numerics), 0);
      assert.equal(tileOf([16, 16, inChannels], options, numerics, 'winograd2'), 2);
      assert.equal(tileOf([16, 16, inChannels], options, numerics, 'winograd4'), 4);
    }
  }
});

test("of the notebook's convolutions only the first, with its 3 channels, is direct", () => {
  const { nodes } = sequentialGraph([32, 32, 3], cifarNotebook());
  const convolutions = nodes.filter(({ layer }) => layer.type === 'conv2d');
  const tiles = convolutions.map(({ layer, inputShapes }) => {
    const conv = layer.config as ConvOptions & { algorithm: ConvAlgorithm };
    return tileOf(inputShapes[0]!, conv, 'fast', conv.algorithm);
  });
  assert.deepEqual(tiles, [0, 4, 4, 4, 4, 4]);
});

const SHAPE = [9, 10, 3] as const;
const CLASSES = 5;
const engine = testEngine({ threads: 2 });
const inputs = randomNormals(21, 6 * 9 * 10 * 3);
const targets = Int32Array.of(0, 1, 2, 3, 4, 0);

/** Three convolutions, the last two wide enough for Winograd; smooth, so that gradients are, too. */
function layers(middle: Partial<Conv2dOptions> = {}, filters = 17): Layer[] {
  const options = { ...same, filters, activation: 'tanh' } as const;
  return [
    conv2d(options),
    conv2d({ ...options, ...middle }),
    conv2d({ ...options, padding: 'valid', flip: true, ...middle }),
    flatten(),
    dense({ units: CLASSES, activation: 'softmax' }),
  ];
}

async function gradients(
  numerics: NonNullable<SequentialOptions['numerics']> | undefined,
  list = layers(),
  on = engine,
): Promise<Record<string, Float32Array>> {
  await using model = sequential({ inputShape: SHAPE, seed: 3, ...(numerics && { numerics }) }, list);
  const result = await model.gradientsOnBatch({ inputs, targets }, { engine: on });
  return Object.fromEntries(Object.entries(result.gradients).map(([name, { data }]) => [name, data]));
}

const joined = (all: Record<string, Float32Array>): number[] =>
  Object.values(all).flatMap((values) => [...values]);

/** Gates of the relative L2 error of one pass of F(2,3) and of F(4,3) (the numerics' item 15). */
const GATES = { accurate: 5e-6, fast: 2e-5 } as const;

test("a model's numerics decides the bits: each setting gives its own, again and again, on either engine", async () => {
  const scalar = testEngine({ threads: 1, engine: 'scalar' });
  const bits = new Set<string>();
  for (const numerics of NUMERICS) {
    const first = joined(await gradients(numerics));
    assertSameBits(joined(await gradients(numerics)), first, numerics);
    assertSameBits(joined(await gradients(numerics, layers(), scalar)), first, `${numerics}, scalar`);
    bits.add(JSON.stringify(first));
  }
  assert.equal(bits.size, 3);
  assert.ok(bits.has(JSON.stringify(joined(await gradients(undefined)))));
  assertSameBits(
    joined(await gradients(undefined)),
    joined(await gradients('fast')),
    "the default is 'fast'",
  );
});

test('where no convolution is wide enough, all settings give the same bits', async () => {
  const direct = joined(await gradients('direct', layers({}, 4)));
  for (const numerics of ['accurate', 'fast'] as const) {
    assertSameBits(joined(await gradients(numerics, layers({}, 4))), direct, numerics);
  }
});

test("a layer's algorithm overrides the model's numerics", async () => {
  const direct = joined(await gradients('direct'));
  assertSameBits(joined(await gradients('fast', layers({ algorithm: 'direct' }))), direct);
  const accurate = joined(await gradients('accurate'));
  assertSameBits(joined(await gradients('direct', layers({ algorithm: 'winograd2' }))), accurate);
  const fast = joined(await gradients('fast'));
  assertSameBits(joined(await gradients('direct', layers({ algorithm: 'winograd4' }))), fast);
});

for (const numerics of ['accurate', 'fast'] as const) {
  test(`the gradients of '${numerics}' are those of 'direct' within the gate of a single Winograd pass`, async (t) => {
    const [actual, expected] = [await gradients(numerics), await gradients('direct')];
    for (const [name, values] of Object.entries(actual)) {
      const error = relativeL2(values, expected[name]!);
      t.diagnostic(`${name}: ${error.toExponential(1)}`);
      assert.ok(error <= GATES[numerics], `${name}: relative L2 error ${error}`);
    }
  });
}

test('senseless settings are refused, naming them', () => {
  const model = (numerics: unknown) =>
    sequential({ inputShape: SHAPE, numerics: numerics as Numerics }, [flatten()]);
  for (const numerics of ['exact', '', 'Fast', null, 2, ['fast']]) {
    assert.throws(() => model(numerics), {
      name: 'ConfigError',
      message: `sequential: numerics: expected 'direct', 'accurate' or 'fast', got ${JSON.stringify(numerics)}`,
    });
  }
  for (const algorithm of ['winograd', 'winograd6', '', 4, {}]) {
    const options = { filters: 2, kernelSize: 3, name: 'edges', algorithm: algorithm as ConvAlgorithm };
    assert.throws(() => conv2d(options), {
      name: 'ConfigError',
      message:
        'conv2d "edges": algorithm: expected one of auto, direct, winograd2, winograd4, ' +
        `got ${JSON.stringify(algorithm)}`,
    });
  }
});

test("a layer that asks for Winograd's algorithm where it does not fit is refused by name", () => {
  for (const [, channels, options] of DIRECT) {
    const layer = conv2d({ ...options, algorithm: 'winograd4', name: 'edges' });
    assert.throws(() => sequential({ inputShape: [16, 16, channels] }, [layer]), {
      name: 'ConfigError',
      message: /^conv2d "edges": algorithm: expected 'auto' or 'direct': .*, got winograd4$/,
    });
  }
});

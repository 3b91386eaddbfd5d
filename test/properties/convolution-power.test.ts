/**
 * The checks have power (the numerics' item 30): kernels with a seeded fault, each of them one that people
 * make, are caught by the very checks that the right kernels pass.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ConvGeometry } from '../../src/tensor/convolution.ts';
import { type ConvCase, convCases, type Domain, SEED } from '../helpers/arbitraries.ts';
import type { Values } from '../helpers/oracle.ts';
import {
  checkExact,
  checkWithinBounds,
  direct,
  PASSES,
  type PassName,
  type Subject,
} from '../helpers/oracle-checks.ts';
import { winograd } from '../helpers/oracle-winograd.ts';

/** A kernel's pass with a fault. */
type Pass = Subject[PassName];

interface Fault {
  /** Whether the geometry has what the fault confuses. */
  readonly applies: (g: ConvGeometry) => boolean;
  readonly seed: (pass: Pass, name: PassName) => Pass;
}

const always = () => true;
const taps = (g: ConvGeometry) => g.kernelHeight * g.kernelWidth;

/** The values with those zeroed whose index passes the test. */
const without = (values: Values, drop: (index: number) => boolean): Float32Array =>
  Float32Array.from(values, (value, i) => (drop(i) ? 0 : value));

/** Whether an element of [N, height, width, channels] lies in the last row. */
const inLastRow = (height: number, rowLength: number) => (index: number) =>
  Math.floor(index / rowLength) % height === height - 1;

const FAULTS: Readonly<Record<string, Fault>> = {
  'a dropped tap': {
    applies: always,
    seed: (pass, name) => (g, a, b, options) => {
      const first = (values: Values) => without(values, (i) => i < values.length / taps(g));
      return name === 'weightGradient' ? first(pass(g, a, b, options)) : pass(g, a, first(b), options);
    },
  },
  'a dropped input channel': {
    applies: always,
    seed: (pass, name) => (g, a, b, options) => {
      const channels = name === 'inputGradient' ? g.outChannels : g.inChannels;
      return pass(
        g,
        without(a, (i) => i % channels === channels - 1),
        b,
        options,
      );
    },
  },
  'a row bound off by one': {
    applies: always,
    seed: (pass, name) => (g, a, b, options) => {
      const outputs = inLastRow(g.outHeight, g.outWidth * g.outChannels);
      if (name === 'weightGradient') return pass(g, a, without(b, outputs), options);
      const result = pass(g, a, b, options);
      return without(result, name === 'forward' ? outputs : inLastRow(g.inHeight, g.inWidth * g.inChannels));
    },
  },
  'a column off by one': {
    applies: always,
    seed: (pass) => (g, a, b, options) => {
      const { left, right } = g.padding;
      // One pixel further right: the window begins and the image ends one column late.
      const shifted = { ...g, padding: { ...g.padding, left: left + 1, right: right - 1 } };
      return pass(shifted, a, b, options);
    },
  },
  'exchanged strides': {
    applies: (g) => g.strideY !== g.strideX && (g.outHeight > 1 || g.outWidth > 1),
    seed: (pass) => (g, a, b, options) =>
      pass({ ...g, strideY: g.strideX, strideX: g.strideY }, a, b, options),
  },
  'exchanged dilations': {
    applies: (g) => g.dilationY !== g.dilationX && taps(g) > 1,
    seed: (pass) => (g, a, b, options) =>
      pass({ ...g, dilationY: g.dilationX, dilationX: g.dilationY }, a, b, options),
  },
  'a missing flip': {
    applies: (g) => taps(g) > 1,
    seed: (pass) => (g, a, b, options) => pass(g, a, b, { ...options, flip: !options.flip }),
  },
  'a forgotten start of the sum': {
    applies: always,
    seed:
      (pass) =>
      (g, a, b, { bias: _, onto: __, ...options }) =>
        pass(g, a, b, options),
  },
};

/** A subject with a fault in each pass. */
function faulty(subject: Subject, seed: Fault['seed']): Subject {
  const passes = Object.fromEntries(PASSES.map((name) => [name, seed(subject[name], name)]));
  return { ...subject, ...passes } as Subject;
}

/** Those of the cases in which a check fails. */
function caught(cases: readonly ConvCase[], run: (tried: ConvCase) => void): ConvCase[] {
  return cases.filter((tried) => {
    try {
      run(tried);
      return false;
    } catch (error) {
      if (error instanceof assert.AssertionError) return true;
      throw error;
    }
  });
}

/** Random cases; an odd seed makes each of them add its result to something. */
function sample(domain: Domain, count: number): ConvCase[] {
  const cases = fc.sample(convCases(domain), { numRuns: count, seed: SEED });
  return cases.map((tried) => ({ ...tried, seed: tried.seed | 1 }));
}

const WINOGRAD: Domain = { kernel: [3, 3], stride: 1, dilation: 1, groups: 1 };
/** `share`: of the cases in which a fault shows, how many the bounds must catch (Winograd's are looser). */
const SUBJECTS = [
  { name: 'the direct kernels', subject: direct, cases: sample({}, 80), share: 1 },
  { name: 'F(2,3)', subject: winograd(2), cases: sample(WINOGRAD, 40), share: 0.85 },
  { name: 'F(4,3)', subject: winograd(4), cases: sample(WINOGRAD, 40), share: 0.85 },
];

for (const { name, subject, cases, share } of SUBJECTS) {
  describe(`30: the checks of ${name}`, () => {
    it('pass without a fault', () => {
      for (const pass of PASSES) {
        assert.deepEqual(
          caught(cases, (tried) => checkWithinBounds(subject, pass, tried)),
          [],
        );
      }
    });

    for (const [fault, { applies, seed }] of Object.entries(FAULTS)) {
      const tried = cases.filter(({ geometry }) => applies(geometry));
      if (tried.length === 0) continue;
      it(`catch ${fault}`, (t) => {
        for (const pass of PASSES) {
          // A fault that meets only padding does not show. Where it does, integers tell without tolerance.
          const visible = caught(tried, (each) => checkExact(faulty(direct, seed), pass, each));
          const found = caught(visible, (each) => checkWithinBounds(faulty(subject, seed), pass, each));
          t.diagnostic(`${pass}: caught in ${found.length} of ${visible.length} cases`);
          assert.ok(visible.length >= 0.7 * tried.length, `${pass}: shows in only ${visible.length} cases`);
          assert.ok(found.length >= share * visible.length, `${pass}: ${found.length} of ${visible.length}`);
        }
      });
    }
  });
}

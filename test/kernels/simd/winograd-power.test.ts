/**
 * The checks of the Winograd kernels have power (the numerics' item 30). Every number of the tables, changed, moves
 * the scalar kernels out of their error bounds; instructions of the emitted code that compute, load or store,
 * changed, are seen by the comparison with the scalar kernel, and so are tiles in the wrong place.
 */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { KernelFamily, KernelSpec } from '../../../src/kernels/kernel.ts';
import { FunctionBuilder } from '../../../src/kernels/simd/assembler/index.ts';
import { BASELINE_TARGET, type SimdTwin } from '../../../src/kernels/simd/twin.ts';
import { winogradForwardTwin } from '../../../src/kernels/simd/winograd-forward.ts';
import { winogradWeightGradientTwin } from '../../../src/kernels/simd/winograd-weight-gradient.ts';
import { winogradWeightsTwin } from '../../../src/kernels/simd/winograd-weights.ts';
import { type WinogradForwardSpec, winogradForward } from '../../../src/kernels/winograd-forward.ts';
import { type OutputTile, winogradMatrices } from '../../../src/kernels/winograd-transforms.ts';
import {
  type WinogradWeightGradientSpec,
  winogradWeightGradient,
} from '../../../src/kernels/winograd-weight-gradient.ts';
import { type WinogradWeightsSpec, winogradWeights } from '../../../src/kernels/winograd-weights.ts';
import { convGeometry } from '../../../src/tensor/convolution.ts';
import { denseView } from '../../../src/tensor/view.ts';
import type { ConvCase } from '../../helpers/arbitraries.ts';
import { checkWithinBounds, PASSES, type PassName } from '../../helpers/oracle-checks.ts';
import { winograd } from '../../helpers/oracle-winograd.ts';
import { assertTwin } from '../../helpers/twin.ts';

/** Whole tiles of both sizes, so that every output of a tile counts; channels that fill no vector. */
const geometry = convGeometry('test', [8, 8, 5], { filters: 6, kernelSize: 3, padding: 'same' });

/** Whether a check fails; a fault may also make the emitted code leave its memory. */
function fails(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    if (error instanceof assert.AssertionError || error instanceof WebAssembly.RuntimeError) return true;
    throw error;
  }
}

/** One wrong number in the tables of a tile size. */
interface TableFault {
  readonly name: string;
  readonly row: number[];
  readonly at: number;
  readonly value: number;
}

/** Each number with its sign flipped and, where its row and column keep another, left out; each divisor doubled. */
function tableFaults(outputTile: OutputTile): TableFault[] {
  const tables = winogradMatrices(outputTile);
  const faults: TableFault[] = [];
  for (const name of ['outputMatrix', 'weightMatrix', 'inputMatrix'] as const) {
    const matrix = tables[name];
    const isAlone = (values: readonly number[]) => values.filter((value) => value !== 0).length === 1;
    matrix.forEach((row, i) => {
      row.forEach((value, at) => {
        if (value === 0) return;
        const fault = { name: `${name}[${i}][${at}]`, row: row as number[], at };
        faults.push({ ...fault, value: -value });
        if (!isAlone(row) && !isAlone(matrix.map((other) => other[at]!))) faults.push({ ...fault, value: 0 });
      });
    });
  }
  const divisors = tables.weightDivisors as number[];
  divisors.forEach((value, at) => {
    faults.push({ name: `weightDivisors[${at}]`, row: divisors, at, value: 2 * value });
  });
  return faults;
}

/** A pass that runs with the fault in the tables; its bounds and the oracle are taken from the right ones. */
function withTableFault(outputTile: OutputTile, pass: PassName, { row, at, value }: TableFault) {
  const subject = winograd(outputTile);
  const faulty: (typeof subject)[PassName] = (...args) => {
    const right = row[at]!;
    row[at] = value;
    try {
      return subject[pass](...args);
    } finally {
      row[at] = right;
    }
  };
  return { ...subject, [pass]: faulty };
}

for (const outputTile of [2, 4] as const) {
  describe(`30: the error bounds of F(${outputTile},3)`, () => {
    const tried: ConvCase = { geometry, count: 1, seed: 21, slack: { halo: 0, gap: 0 }, flip: false };

    for (const pass of PASSES) {
      it(`${pass}: hold, and catch every wrong number in the tables`, (t) => {
        assert.ok(!fails(() => checkWithinBounds(winograd(outputTile), pass, tried)));
        const faults = tableFaults(outputTile);
        const missed = faults.filter(
          (fault) => !fails(() => checkWithinBounds(withTableFault(outputTile, pass, fault), pass, tried)),
        );
        assert.deepEqual(missed, []);
        t.diagnostic(`${faults.length} faults caught`);
      });
    }
  });
}

/** What a fault does to the arguments of a builder's method, or undefined where it does not apply to them. */
interface CodeFault {
  readonly method: 'op' | 'f32x4' | 'memory' | 'memoryLane';
  // biome-ignore lint/suspicious/noExplicitAny: the methods take arguments of different types.
  readonly change: (...args: any[]) => unknown[] | undefined;
}

const operation = (from: string, to: string): CodeFault => ({
  method: 'op',
  change: (name) => (name === from ? [to] : undefined),
});

const CODE_FAULTS: Readonly<Record<string, CodeFault>> = {
  'a subtraction for an addition': operation('f32x4.add', 'f32x4.sub'),
  'an addition for a subtraction': operation('f32x4.sub', 'f32x4.add'),
  'an addition for a product': operation('f32x4.mul', 'f32x4.add'),
  'a product for a quotient': operation('f32x4.div', 'f32x4.mul'),
  'a factor or divisor twice as large': {
    method: 'f32x4',
    change: (value) => (value === 0 ? undefined : [2 * value]),
  },
  'a load or store one element off': {
    method: 'memory',
    change: (name, offset = 0) => [name, offset + 4],
  },
  'a load or store of single lanes one element off': {
    method: 'memoryLane',
    change: (name, lane, offset = 0) => [name, lane, offset + 4],
  },
};

/** Runs `emit` with the fault at the place of this number in the order of emission; returns the number of places. */
function emitWithFault(fault: CodeFault, place: number, emit: () => unknown): number {
  const right = FunctionBuilder.prototype[fault.method] as (...args: unknown[]) => unknown;
  let places = 0;
  const patched = mock.method(
    FunctionBuilder.prototype,
    fault.method,
    function (this: FunctionBuilder, ...args: unknown[]) {
      const changed = fault.change(...args);
      const isHere = changed !== undefined && places++ === place;
      return right.apply(this, isHere ? changed : args);
    },
  );
  try {
    emit();
  } finally {
    patched.mock.restore();
  }
  return places;
}

/** A twin whose code has the fault. */
function withCodeFault<S extends KernelSpec>(
  twin: SimdTwin<S>,
  fault: CodeFault,
  place: number,
): SimdTwin<S> {
  return {
    kind: twin.kind,
    emit(spec, target) {
      let builder: FunctionBuilder | undefined;
      emitWithFault(fault, place, () => {
        builder = twin.emit(spec, target);
      });
      return builder;
    },
  };
}

/** A kernel on trial, and what its emitter may confuse: the same spec but for these. */
interface Trial<S extends KernelSpec> {
  readonly family: KernelFamily<S>;
  readonly twin: SimdTwin<S>;
  readonly spec: S;
  readonly confused: Readonly<Record<string, Partial<S>>>;
}

/** Whether the comparison fails: on two blocks of tiles and more, on one, or on none. */
function isCaught<S extends KernelSpec>({ family, spec }: Trial<S>, twin: SimdTwin<S>): boolean {
  return [5, 1, 0].some((count) =>
    fails(() => {
      if (!assertTwin(family, twin, spec, { count, seed: 21 })) throw new Error('nothing was emitted');
    }),
  );
}

/** Places tried of each kind of fault, spread over the code (of 60 each, all were caught as well). */
const PLACES = 8;

function itCatchesFaults<S extends KernelSpec>(trial: Trial<S>): void {
  const { twin, spec, confused } = trial;

  it(`${spec.kind}: passes without a fault`, () => {
    assert.ok(!isCaught(trial, twin));
  });

  for (const [name, fault] of Object.entries(CODE_FAULTS)) {
    const places = emitWithFault(fault, -1, () => twin.emit(spec, BASELINE_TARGET));
    if (places === 0) continue;
    it(`${spec.kind}: catches ${name}`, () => {
      const tried = Math.min(PLACES, places);
      for (let i = 0; i < tried; i++) {
        const place = Math.floor(((i + 0.5) * places) / tried);
        assert.ok(isCaught(trial, withCodeFault(twin, fault, place)), `place ${place} of ${places}`);
      }
    });
  }

  for (const [name, difference] of Object.entries(confused)) {
    it(`${spec.kind}: catches ${name}`, () => {
      const emit: SimdTwin<S>['emit'] = (right, target) => twin.emit({ ...right, ...difference }, target);
      assert.ok(isCaught(trial, { kind: twin.kind, emit }));
    });
  }
}

const { padding } = geometry;
const MISPLACED = {
  'a row of tiles too few': { geometry: { ...geometry, outHeight: 4 } },
  'a column of tiles too few': { geometry: { ...geometry, outWidth: 4 } },
  'tiles that begin a row early': { geometry: { ...geometry, padding: { ...padding, top: 2 } } },
  'tiles that begin a column late': { geometry: { ...geometry, padding: { ...padding, left: 0 } } },
};

for (const outputTile of [2, 4] as const) {
  describe(`30: the comparison of F(${outputTile},3) in SIMD with the scalar kernels`, () => {
    const [input, output] = [denseView(8, 8, 5, 2), denseView(8, 8, 6)];
    const shapes = { geometry, outputTile, input };
    const strayed = { input: { ...input, imageStride: input.imageStride + input.rowStride } };
    const misplaced = { ...MISPLACED, 'images a row too far from each other': strayed };
    itCatchesFaults<WinogradForwardSpec>({
      family: winogradForward,
      twin: winogradForwardTwin,
      spec: { kind: 'winogradForward', ...shapes, output, bias: true, activation: 'relu' },
      confused: { ...misplaced, 'a missing ReLU': { activation: 'linear' } },
    });
    itCatchesFaults<WinogradWeightGradientSpec>({
      family: winogradWeightGradient,
      twin: winogradWeightGradientTwin,
      spec: { kind: 'winogradWeightGradient', ...shapes, gradOutput: output, accumulate: true, flip: false },
      confused: { ...misplaced, 'a flip': { flip: true }, 'a lost start': { accumulate: false } },
    });
    itCatchesFaults<WinogradWeightsSpec>({
      family: winogradWeights,
      twin: winogradWeightsTwin,
      spec: { kind: 'winogradWeights', geometry, outputTile, pass: 'inputGradient', flip: false },
      confused: { 'a flip': { flip: true }, 'the other pass': { pass: 'forward' } },
    });
  });
}

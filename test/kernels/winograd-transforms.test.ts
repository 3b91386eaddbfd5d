/**
 * Winograd's transforms are proven, not sampled (the numerics' item 14): over exact rationals, on all basis
 * vectors, for the matrices and for the f32 steps derived from them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bindNested, nestedSteps, type StepProgram, stepProgram } from '../../src/kernels/winograd-steps.ts';
import {
  F2_3,
  F4_3,
  type Matrix,
  transpose,
  type WinogradMatrices,
} from '../../src/kernels/winograd-transforms.ts';
import { tileDivisors } from '../../src/kernels/winograd-weights.ts';
import { check } from '../helpers/arbitraries.ts';
import { assertSameValues } from '../helpers/exact.ts';
import { product } from '../helpers/oracle-winograd.ts';

/** A fraction; the denominator is not 0. */
interface Rational {
  readonly over: bigint;
  readonly under: bigint;
}

const ZERO: Rational = { over: 0n, under: 1n };

/** The exact value of a finite double. */
function rational(value: number): Rational {
  let under = 1n;
  while (!Number.isInteger(value)) {
    value *= 2;
    under *= 2n;
  }
  return { over: BigInt(value), under };
}

const times = (a: Rational, b: Rational): Rational => ({ over: a.over * b.over, under: a.under * b.under });
const plus = (a: Rational, b: Rational): Rational => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
});
const minus = (a: Rational, b: Rational): Rational => plus(a, times(rational(-1), b));
const divided = (a: Rational, b: Rational): Rational => times(a, { over: b.under, under: b.over });
const equal = (a: Rational, b: Rational): boolean => a.over * b.under === b.over * a.under;

type RationalMatrix = readonly (readonly Rational[])[];
const exact = (matrix: Matrix): RationalMatrix => matrix.map((row) => row.map(rational));
const transposed = (matrix: RationalMatrix): RationalMatrix =>
  matrix[0]!.map((_, column) => matrix.map((row) => row[column]!));

/** G, its divisors applied. */
function weightTransform({ weightMatrix, weightDivisors }: WinogradMatrices): RationalMatrix {
  return weightMatrix.map((row, k) =>
    row.map((value) => divided(rational(value), rational(weightDivisors[k]!))),
  );
}

/** Whether y = A^T [(G g) o (B^T d)] is y[q] = sum of g[i] d[q+i]: bilinear, so basis vectors decide it. */
function filters(aT: RationalMatrix, g: RationalMatrix, bT: RationalMatrix): boolean {
  for (let q = 0; q < aT.length; q++) {
    for (let i = 0; i < g[0]!.length; i++) {
      for (let j = 0; j < bT[0]!.length; j++) {
        const sum = g.reduce(
          (total, row, k) => plus(total, times(times(aT[q]![k]!, row[i]!), bT[k]![j]!)),
          ZERO,
        );
        if (!equal(sum, rational(j === q + i ? 1 : 0))) return false;
      }
    }
  }
  return true;
}

/** The forward algorithm F(m, 3), and F(3, m) with A and G exchanged. */
function isProven(m: WinogradMatrices): boolean {
  const [aT, g, bT] = [exact(m.outputMatrix), weightTransform(m), exact(m.inputMatrix)];
  return filters(aT, g, bT) && filters(transposed(g), transposed(aT), bT);
}

/** Runs a program over exact rationals. */
function runExactly({ inputs, steps, outputs }: StepProgram, x: readonly Rational[]): Rational[] {
  assert.equal(x.length, inputs);
  const registers = [...x];
  for (const step of steps) {
    const left = registers[step.left]!;
    if (step.op === 'mul') registers.push(times(left, rational(step.by)));
    else if (step.op === 'add') registers.push(plus(left, registers[step.right]!));
    else registers.push(minus(left, registers[step.right]!));
  }
  return outputs.map((register) => registers[register]!);
}

/** Whether a program computes matrix * x, judged on basis vectors. */
function computes(program: StepProgram, matrix: Matrix): boolean {
  return matrix[0]!.every((_, column) => {
    const basis = matrix[0]!.map((_, j) => rational(j === column ? 1 : 0));
    return runExactly(program, basis).every((value, row) => equal(value, rational(matrix[row]![column]!)));
  });
}

/** Every way to change one number of the tables by one. */
function* perturbed(m: WinogradMatrices): Generator<WinogradMatrices> {
  for (const name of ['outputMatrix', 'weightMatrix', 'inputMatrix'] as const) {
    for (let i = 0; i < m[name].length; i++) {
      for (let j = 0; j < m[name][0]!.length; j++) {
        const matrix = m[name].map((row, y) =>
          row.map((value, x) => (y === i && x === j ? value + 1 : value)),
        );
        yield { ...m, [name]: matrix };
      }
    }
  }
  for (let k = 0; k < m.tile; k++) {
    yield { ...m, weightDivisors: m.weightDivisors.map((value, i) => (i === k ? value * 2 : value)) };
  }
}

const TABLES = { 'F(2,3)': F2_3, 'F(4,3)': F4_3 };

for (const [name, m] of Object.entries(TABLES)) {
  describe(`the matrices of ${name}`, () => {
    it('are proven, for the forward pass and exchanged for the weight gradient', () => {
      assert.ok(isProven(m));
    });

    it('stop being so when any of their numbers is changed', () => {
      for (const wrong of perturbed(m)) assert.ok(!isProven(wrong));
    });

    it('have the sizes that they say, and t = m + r - 1 multiplications', () => {
      const size = (matrix: Matrix) => [matrix.length, ...new Set(matrix.map((row) => row.length))];
      assert.equal(m.tile, m.outputs + m.taps - 1);
      assert.deepEqual(size(m.outputMatrix), [m.outputs, m.tile]);
      assert.deepEqual(size(m.weightMatrix), [m.tile, m.taps]);
      assert.deepEqual(size(m.inputMatrix), [m.tile, m.tile]);
      assert.equal(m.weightDivisors.length, m.tile);
    });

    it('hold f32 numbers, products of divisors included', () => {
      const numbers = [m.outputMatrix, m.weightMatrix, m.inputMatrix].flat(2).concat(tileDivisors(m));
      assertSameValues(Float32Array.from(numbers), numbers);
    });

    it('become f32 steps that compute the same products exactly', () => {
      const { outputMatrix, weightMatrix, inputMatrix } = m;
      for (const matrix of [
        outputMatrix,
        weightMatrix,
        inputMatrix,
        transpose(outputMatrix),
        transpose(weightMatrix),
      ]) {
        assert.ok(computes(stepProgram(matrix), matrix));
      }
    });
  });
}

describe('steps', () => {
  it('are few: sums and differences of paired points are shared', () => {
    const counts = ({ outputMatrix, weightMatrix, inputMatrix }: WinogradMatrices) =>
      [inputMatrix, weightMatrix, outputMatrix, transpose(outputMatrix), transpose(weightMatrix)].map(
        (matrix) => stepProgram(matrix).steps.length,
      );
    assert.deepEqual(counts(F2_3), [4, 3, 4, 3, 4]);
    assert.deepEqual(counts(F4_3), [19, 8, 13, 11, 11]);
    assert.equal(nestedSteps(stepProgram(F4_3.inputMatrix)), 12 * 19);
    assert.equal(nestedSteps(stepProgram(F4_3.outputMatrix)), 10 * 13);
  });

  it('compute any small matrix, pairs of rows and columns in it or not', () => {
    const entry = fc.constantFrom(0, 0, 1, -1, 2, -2, 0.5, 4);
    const matrices = fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
      .chain(([rows, columns]) =>
        fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
          minLength: rows,
          maxLength: rows,
        }),
      )
      .filter((matrix) => matrix.every((row) => row.some((value) => value !== 0)));
    check(matrices, 500, (matrix) =>
      assert.ok(computes(stepProgram(matrix), matrix), JSON.stringify(matrix)),
    );
  });

  it('applied to both axes give M X M^T', () => {
    check(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 36, maxLength: 36 }), 50, (values) => {
      for (const matrix of [F4_3.outputMatrix, F4_3.inputMatrix]) {
        const to = new Float32Array(matrix.length ** 2);
        bindNested(stepProgram(matrix))(Float32Array.from(values), to);
        const tile = Array.from({ length: 6 }, (_, i) => values.slice(6 * i, 6 * i + 6));
        assertSameValues(to, product(product(matrix, tile), transpose(matrix)).flat());
      }
    });
  });
});

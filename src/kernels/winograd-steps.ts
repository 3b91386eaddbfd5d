/**
 * A matrix-vector product y = M x with a small constant matrix, as a fixed sequence of f32 steps.
 *
 * The sequence is derived from the matrix alone. The scalar kernels interpret it, their SIMD twins emit
 * it instruction by instruction, so both round in the same places:
 *
 * 1. Columns j, j+1 whose entries are equal in some rows and opposite in the others (and zero together)
 *    are replaced by the sum x[j] + x[j+1] and the difference x[j] - x[j+1].
 * 2. Rows i, i+1 whose entries are equal in some columns (part E) and opposite in the others (part O,
 *    signs as in row i) become y[i] = E + O and y[i+1] = E - O.
 * 3. A sum of terms runs over ascending columns, except that the first positive term leads. A coefficient
 *    other than 1 is a multiplication of its own; one that all terms share is multiplied to the sum
 *    instead. Zero terms are left out.
 *
 * Step s writes register inputs + s; registers 0 to inputs-1 hold x. No register is written twice.
 */
import type { Matrix } from './winograd-transforms.ts';

/** One f32 operation: left + right, left - right, or left * by. */
export type Step =
  | { readonly op: 'add' | 'sub'; readonly left: number; readonly right: number }
  | { readonly op: 'mul'; readonly left: number; readonly by: number };

/** The steps of one product; `outputs[i]` is the register that ends up holding y[i]. */
export interface StepProgram {
  readonly inputs: number;
  readonly steps: readonly Step[];
  readonly outputs: readonly number[];
}

/** A coefficient and the register it multiplies. */
interface Term {
  readonly by: number;
  readonly register: number;
}

/** Derives the steps of y = matrix * x. Every entry must be an f32 number, every row have one that is not 0. */
export function stepProgram(matrix: Matrix): StepProgram {
  const inputs = matrix[0]!.length;
  const steps: Step[] = [];
  const push = (step: Step): number => inputs + steps.push(step) - 1;
  const rows = pairColumns(matrix, push);
  const outputs: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    const next = rows[i + 1];
    if (next === undefined || !isPair(rows[i]!, next)) {
      outputs.push(emitSum(rows[i]!, push));
      continue;
    }
    const isEqual = (term: Term, column: number) => term.by === next[column]!.by;
    const even = emitSum(rows[i]!.filter(isEqual), push);
    const odd = emitSum(
      rows[i]!.filter((term, column) => !isEqual(term, column)),
      push,
    );
    outputs.push(push({ op: 'add', left: even, right: odd }), push({ op: 'sub', left: even, right: odd }));
    i++;
  }
  return { inputs, steps, outputs };
}

/** The rows as terms, paired columns replaced by their sums and differences. */
function pairColumns(matrix: Matrix, push: (step: Step) => number): Term[][] {
  const rows: Term[][] = matrix.map(() => []);
  const columns = matrix[0]!.map((_, column) =>
    matrix.map((row) => ({ by: row[column]!, register: column })),
  );
  for (let j = 0; j < columns.length; j++) {
    const [column, next] = [columns[j]!, columns[j + 1]];
    if (next === undefined || !isPair(column, next)) {
      column.forEach((term, i) => {
        rows[i]!.push(term);
      });
      continue;
    }
    const sum = push({ op: 'add', left: j, right: j + 1 });
    const difference = push({ op: 'sub', left: j, right: j + 1 });
    column.forEach(({ by }, i) => {
      const equal = by === next[i]!.by;
      rows[i]!.push({ by: equal ? by : 0, register: sum }, { by: equal ? 0 : by, register: difference });
    });
    j++;
  }
  return rows;
}

/** Whether two rows (or columns) have the same magnitudes, with equal signs here and opposite ones there. */
function isPair(a: readonly Term[], b: readonly Term[]): boolean {
  const differs = (sign: number) => a.some(({ by }, i) => by !== 0 && by === sign * b[i]!.by);
  return a.every(({ by }, i) => Math.abs(by) === Math.abs(b[i]!.by)) && differs(1) && differs(-1);
}

/** Emits a sum of terms (rule 3); returns the register that holds it. */
function emitSum(terms: readonly Term[], push: (step: Step) => number): number {
  const rest = terms.filter(({ by }) => by !== 0);
  const firstPositive = rest.findIndex(({ by }) => by > 0);
  const [lead] = rest.splice(Math.max(0, firstPositive), 1) as [Term];
  const isShared = rest.length > 0 && rest.every(({ by }) => Math.abs(by) === lead.by);
  const common = isShared ? lead.by : 1;
  const scaled = (register: number, by: number) =>
    by === 1 ? register : push({ op: 'mul', left: register, by });
  let sum = scaled(lead.register, lead.by / common);
  for (const { by, register } of rest) {
    const right = scaled(register, Math.abs(by) / common);
    sum = push({ op: by > 0 ? 'add' : 'sub', left: sum, right });
  }
  return scaled(sum, common);
}

/**
 * Applies a program to both axes of a tile: to = M from M^T, first down the columns of `from`
 * [inputs, inputs], then along the rows of that; `to` is [outputs, outputs], both row-major.
 */
export function bindNested(program: StepProgram): (from: Float32Array, to: Float32Array) => void {
  const { inputs, outputs } = program;
  const height = outputs.length;
  const registers = new Float32Array(inputs + program.steps.length);
  const between = new Float32Array(height * inputs);
  return (from, to) => {
    for (let column = 0; column < inputs; column++) {
      for (let i = 0; i < inputs; i++) registers[i] = from[i * inputs + column]!;
      runSteps(program, registers);
      for (let i = 0; i < height; i++) between[i * inputs + column] = registers[outputs[i]!]!;
    }
    for (let row = 0; row < height; row++) {
      for (let i = 0; i < inputs; i++) registers[i] = between[row * inputs + i]!;
      runSteps(program, registers);
      for (let i = 0; i < height; i++) to[row * height + i] = registers[outputs[i]!]!;
    }
  };
}

/** Runs the steps on registers whose first `inputs` elements hold x. */
function runSteps({ inputs, steps }: StepProgram, registers: Float32Array): void {
  const f = Math.fround;
  for (let s = 0; s < steps.length; s++) {
    const step = steps[s]!;
    const left = registers[step.left]!;
    if (step.op === 'mul') registers[inputs + s] = f(left * step.by);
    else if (step.op === 'add') registers[inputs + s] = f(left + registers[step.right]!);
    else registers[inputs + s] = f(left - registers[step.right]!);
  }
}

/** f32 operations of a nested transform of one tile. */
export function nestedSteps({ inputs, steps, outputs }: StepProgram): number {
  return steps.length * (inputs + outputs.length);
}

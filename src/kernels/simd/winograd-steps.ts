/**
 * Emits the step programs of ../winograd-steps.ts on vectors of channels: one after the other what the scalar
 * kernels interpret. A value is a list of v128 locals side by side in memory; each step is emitted for all of them
 * in turn, so that pairs become 256-bit operations.
 */
import type { StepProgram } from '../winograd-steps.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';

/** One value of a step program: neighbouring vectors. */
export type Lanes = readonly Local[];

/** Runs a program on values; returns its outputs. */
function emitSteps(b: FunctionBuilder, program: StepProgram, inputs: readonly Lanes[]): Lanes[] {
  const registers: Lanes[] = [...inputs];
  for (const step of program.steps) {
    const left = registers[step.left]!;
    registers.push(
      left.map((vector, part) => {
        const result = b.local('v128');
        b.get(vector);
        if (step.op === 'mul') b.f32x4(step.by).op('f32x4.mul');
        else b.get(registers[step.right]![part]!).op(step.op === 'add' ? 'f32x4.add' : 'f32x4.sub');
        b.set(result);
        return result;
      }),
    );
  }
  return program.outputs.map((register) => registers[register]!);
}

/**
 * Applies a program to both axes of a tile, down the columns of what `load` gives, then along the rows; `store`
 * takes the results, row by row.
 */
export function emitNested(
  b: FunctionBuilder,
  program: StepProgram,
  load: (row: number, column: number) => Lanes,
  store: (row: number, column: number, value: Lanes) => void,
): void {
  const { inputs, outputs } = program;
  const indices = Array.from({ length: inputs }, (_, i) => i);
  const columns = indices.map((column) =>
    emitSteps(
      b,
      program,
      indices.map((row) => load(row, column)),
    ),
  );
  for (let row = 0; row < outputs.length; row++) {
    const values = emitSteps(
      b,
      program,
      columns.map((column) => column[row]!),
    );
    values.forEach((value, column) => {
      store(row, column, value);
    });
  }
}

/** A value over a constant; a power of two is multiplied by its reciprocal, which gives the same bits. */
export function divided(b: FunctionBuilder, value: Lanes, divisor: number): Lanes {
  if (divisor === 1) return value;
  const exact = Number.isInteger(Math.abs(divisor)) && (Math.abs(divisor) & (Math.abs(divisor) - 1)) === 0;
  for (const vector of value) {
    b.get(vector);
    if (exact)
      b.f32x4(1 / divisor)
        .op('f32x4.mul')
        .set(vector);
    else b.f32x4(divisor).op('f32x4.div').set(vector);
  }
  return value;
}

/** Errors in units of the last place against test/fixtures/math.json, whose rows are [...arguments, y, residual]. */
import { readFileSync } from 'node:fs';

const fixtures: Record<string, number[][]> = JSON.parse(
  readFileSync(new URL('../fixtures/math.json', import.meta.url), 'utf8'),
);

/** The gap between |y| and the next larger double. */
export function ulp(y: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(y));
  const exponent = view.getUint32(0) >>> 20;
  return 2 ** (Math.max(exponent, 1) - 1075);
}

/** The gap between |y| and the next larger f32, for |y| rounded down to an f32. */
export function ulpF32(y: number): number {
  return Math.max(ulp(y) * 2 ** 29, 2 ** -149);
}

/** The largest error of `subject` in ULPs over all fixtures of `name`, and the row where it is. */
export function largestError(
  name: string,
  subject: (...args: number[]) => number,
): { error: number; row: number[] } {
  let error = 0;
  let worst: number[] = [];
  for (const row of fixtures[name]!) {
    const y = row.at(-2)!;
    const off = Math.abs((subject(...row.slice(0, -2)) - y) / ulp(y) - row.at(-1)!);
    if (off <= error) continue;
    error = off;
    worst = row;
    if (Number.isNaN(off)) break;
  }
  return { error, row: worst };
}

/** As `largestError` of the result rounded to f32, in ULPs of f32, over fixtures whose result f32 can hold. */
export function largestErrorF32(name: string, subject: (x: number) => number): number {
  let error = 0;
  for (const [x, y] of fixtures[name]! as [number, number][]) {
    if (Math.abs(y) >= 2 ** 127) continue;
    error = Math.max(error, Math.abs(Math.fround(subject(x)) - y) / ulpF32(y));
  }
  return error;
}

/** The arguments of the fixtures of a function of one variable. */
export function fixtureArguments(name: string): number[] {
  return fixtures[name]!.map((row) => row[0]!);
}

/** Neighbouring doubles of x, `steps` on either side, ascending for positive x. */
export function neighbours(x: number, steps: number): number[] {
  const value = new Float64Array([x]);
  const bits = new BigInt64Array(value.buffer);
  const centre = bits[0]!;
  const found: number[] = [];
  for (let i = -steps; i <= steps; i++) {
    bits[0] = centre + BigInt(i);
    found.push(value[0]!);
  }
  return found;
}

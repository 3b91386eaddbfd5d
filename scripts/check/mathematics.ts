/**
 * No foreign transcendental function may reach weights: ECMAScript leaves the result of Math.exp, log, pow,
 * `**`, sin, hypot, ... to the engine, so their last bits differ between versions and machines. In the
 * folders checked, `Math` may only stand before the members below, which IEEE 754 or integer arithmetic
 * defines exactly; src/math has our own versions of the others. One power is allowed: `2 ** -24`, two to an
 * integer, both literal, for which a test shows that the engine's result is exact. `Math` in any other position could be an
 * alias (`const { exp } = Math`, `Math['exp']`), hence is an offence itself.
 */
import { blank } from './blank.ts';
import { lineAt, type Offence, type SourceFile } from './offence.ts';

const CHECKED = ['src/', 'workers/'];
/** Draws pictures of results; nothing flows from it into a model. */
const EXEMPT = ['src/report/'];

const EXACT = new Set([
  ...['abs', 'ceil', 'clz32', 'floor', 'fround', 'imul', 'max', 'min', 'round', 'sign', 'sqrt', 'trunc'],
  ...['E', 'LN10', 'LN2', 'LOG10E', 'LOG2E', 'PI', 'SQRT1_2', 'SQRT2'],
]);

const SUSPECTS =
  /(?<![\w$])Math(?![\w$])(?:\s*(?:\?\.|\.)\s*([\w$]+))?|\*\*=?|(?<![\w$])globalThis\s*(?:\?\.)?\[/g;

/** Offences: transcendental functions, `**`, Math.random, and ways around this check. */
export function checkMathematics(files: readonly SourceFile[]): Offence[] {
  return files.filter(({ path }) => isChecked(path)).flatMap(offencesIn);
}

function isChecked(path: string): boolean {
  const inside = (folder: string) => path.startsWith(folder);
  return CHECKED.some(inside) && !EXEMPT.some(inside);
}

function offencesIn({ path, text }: SourceFile): Offence[] {
  const code = blank(text);
  const offences: Offence[] = [];
  for (const match of code.matchAll(SUSPECTS)) {
    const member = match[1];
    if (member !== undefined && EXACT.has(member)) continue;
    if (match[0] === '**' && isLiteralPowerOfTwo(code, match.index)) continue;
    offences.push({ path, line: lineAt(text, match.index), message: describe(match[0], member) });
  }
  return offences;
}

/** Whether the `**` at `at` stands in `2 ** 30` or `2 ** -24`. */
function isLiteralPowerOfTwo(code: string, at: number): boolean {
  return /(?<![\w$.])2\s*$/.test(code.slice(0, at)) && /^\*\*\s*-?\d+(?![\w$.]|\s*\*\*)/.test(code.slice(at));
}

function describe(found: string, member: string | undefined): string {
  if (member === 'random') return 'Math.random cannot be replayed; use src/math';
  if (member !== undefined) return `Math.${member} differs between engines; use src/math`;
  if (found.startsWith('*'))
    return `the operator ${found} differs between engines; multiply, or write 2 ** n with a literal n`;
  if (found === 'Math') return 'Math only as Math.name, so that this check sees what is called';
  return 'globals only by name, so that this check sees what is called';
}

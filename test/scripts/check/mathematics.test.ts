/** No foreign transcendental function gets past the check, and nothing exact is held up by it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkMathematics } from '../../../scripts/check/mathematics.ts';

const check = (text: string, path = 'src/layers/x.ts') => checkMathematics([{ path, text }]);

const foreign = [
  ...['exp', 'expm1', 'log', 'log2', 'log10', 'log1p', 'pow', 'hypot', 'cbrt', 'random'],
  ...['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2'],
  ...['sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh'],
];

for (const name of foreign) {
  test(`Math.${name} is caught`, () => {
    const [offence, ...others] = check(`const a = 1;\nconst b = Math.${name}(a);\n`);
    assert.deepEqual([offence?.line, others.length], [2, 0]);
    assert.ok(offence?.message.startsWith(`Math.${name} `));
  });
}

const caught = [
  'const { exp } = Math;',
  "const e = Math['exp'](1);",
  'const e = Math[name](1);',
  'const M = Math;',
  'use(Math);',
  'const e = Math?.exp(1);',
  'const e = Math\n  .exp(1);',
  'const e = Math /* our own? */ . exp(1);',
  'const e = globalThis.Math.exp(1);',
  "const e = globalThis['Math'].exp(1);",
  'const text = `${Math.exp(1)}`;',
  'const e = x ** y;',
  'const e = x ** 2;',
  'x **= 2;',
  'const e = 2 ** x;',
  'const e = 2 ** 0.5;',
  'const e = 2 ** 3 ** x;',
  'const e = 12 ** 3;',
  'const e = x2 ** 3;',
  'const e = half / Math.exp(x) / 2;',
  'const e = values[i]! / Math.exp(x) / 2;',
];

for (const source of caught) {
  test(`caught: ${source.replace('\n', ' ')}`, () => assert.notEqual(check(source).length, 0));
}

const innocent = [
  'const a = Math.fround(Math.sqrt(x)) + Math.PI;',
  'const a = Math.imul(x, y) >>> 0;',
  '// Math.exp(x) and x ** y',
  '/** y = x ** 2, by Math.pow */',
  "throw new Error('Math.exp is not ours, nor is **');",
  'const text = `Math.exp ** ${x}`;',
  'const pattern = /Math.exp(**)/;',
  'import { exp } from "../math/exp.ts"; exp(x);',
  'const limit = 2 ** 30;',
  'return 2 ** 30;',
  'const range = [2 ** 31, -(2 ** 31)];',
  'const ulp = x * 2 ** -24;',
  'const MyMath = mathOf(x); MyMath.exp(x);',
  'function* numbers() { yield* other(); }',
];

for (const source of innocent) {
  test(`innocent: ${source}`, () => assert.deepEqual(check(source), []));
}

test('src and workers are checked, src/report and the rest of the repository are not', () => {
  const places = [
    'src/math/exp.ts',
    'workers/worker.ts',
    'src/report/plot.ts',
    'scripts/a.ts',
    'test/a.test.ts',
  ];
  assert.deepEqual(
    places.map((path) => check('Math.exp(1)', path).length),
    [1, 1, 0, 0, 0],
  );
});

test('the one power that is allowed is exact: 2 ** n is the double with that exponent', () => {
  const view = new DataView(new ArrayBuffer(8));
  for (let n = -1074; n <= 1023; n++) {
    const bits = n < -1022 ? 1n << BigInt(n + 1074) : BigInt(n + 1023) << 52n;
    view.setBigUint64(0, bits);
    // Compiled anew, so that a literal power is folded as it is in a source.
    assert.equal(new Function(`return 2 ** ${n}`)(), view.getFloat64(0), `2 ** ${n}, folded`);
    assert.equal(2 ** n, view.getFloat64(0), `2 ** ${n}, computed`);
  }
});

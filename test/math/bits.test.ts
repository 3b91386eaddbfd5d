import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { highWord, powerOfTwo, withHighWord } from '../../src/math/bits.ts';
import { erf } from '../../src/math/erf.ts';
import { exp, expm1 } from '../../src/math/exp.ts';
import { log, log1p } from '../../src/math/log.ts';
import { pow } from '../../src/math/pow.ts';
import { normal, streamKey, uniform } from '../../src/math/random.ts';
import { sigmoid, softplus, tanh } from '../../src/math/tanh.ts';
import { cos, sin } from '../../src/math/trigonometry.ts';
import { fixtureArguments } from './ulp.ts';

test('powerOfTwo, highWord and withHighWord see the bits of IEEE 754', () => {
  for (let k = -1022; k <= 1023; k++) assert.equal(powerOfTwo(k), 2 ** k);
  assert.equal(highWord(1), 0x3ff00000);
  assert.equal(highWord(-2), 0xc0000000 | 0);
  assert.equal(withHighWord(Math.PI, highWord(Math.PI) + (3 << 20)), 8 * Math.PI);
});

test('every function gives the same bits on every machine and engine', () => {
  const subjects = { exp, expm1, log, log1p, tanh, sigmoid, softplus, erf, sin, cos };
  const key = streamKey(21, 'bits');
  const results: number[] = [];
  for (const [name, subject] of Object.entries(subjects)) {
    for (const x of fixtureArguments(name)) results.push(subject(x));
    for (let i = 0; i < 2000; i++) results.push(subject(20 * uniform(key, i) - 2));
  }
  for (let i = 0; i < 2000; i++) results.push(normal(key, i, 1), pow(4 * uniform(key, i), normal(key, i, 2)));
  const bits = new DataView(new ArrayBuffer(results.length * 8));
  results.forEach((y, i) => {
    // NaNs may differ in their payload.
    bits.setFloat64(8 * i, Number.isNaN(y) ? 12345 : y, true);
  });
  assert.equal(
    createHash('sha256').update(bits).digest('hex'),
    '2cedc3cc0d9118a29a84fd48936246fa8301c1421dcfbc729ba479d55d9c3114',
  );
});

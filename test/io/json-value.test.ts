import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/errors.ts';
import { includesJson, type Json, parseJson, writeJson } from '../../src/io/json-value.ts';
import { SEED } from '../helpers/arbitraries.ts';

const parse = (text: string) => parseJson(text, 'read', 'text, byte');
const write = (value: unknown) => writeJson('save', 'data', value);

test('what is written is read back, bit for bit, -0 and subnormals included', () => {
  const values = fc
    .jsonValue({ noUnicodeString: false })
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(values, (value) => {
      const text = write(value);
      assert.deepEqual(parse(text), value);
      assert.deepEqual(JSON.parse(text), value);
    }),
    { seed: SEED, numRuns: 300 },
  );
  for (const value of [-0, 5e-324, 1.7976931348623157e308, 0.1, -1e21, 2 ** 53 + 2]) {
    assert.ok(Object.is(parse(write(value)), value), String(value));
  }
  assert.equal(write({ a: undefined, b: [null, true, 'é"'] }), '{"b":[null,true,"é\\""]}');
});

test('what JSON would change in silence is refused by its place', () => {
  const refused: [unknown, RegExp][] = [
    [
      { a: [1, { b: Number.NaN }] },
      /save: data\.a\[1\]\.b: expected plain data that JSON can hold, got NaN$/,
    ],
    [[Number.POSITIVE_INFINITY], /data\[0\]: .*got Infinity/],
    [{ f: () => 1 }, /data\.f: .*got a function/],
    [[undefined], /data\[0\]: .*got undefined/],
    [new Array(2), /data\[0\]: .*got undefined/],
    [new Map(), /an object of class Map/],
    [new Float32Array(2), /an object of class Float32Array/],
    [1n, /got a bigint/],
    ['\ud800', /half of a surrogate pair/],
  ];
  for (const [value, message] of refused) assert.throws(() => write(value), message);
  const circular: unknown[] = [];
  circular.push(circular);
  assert.throws(() => write(circular), /more than 64 levels/);
});

test('malformed texts are refused with the byte', () => {
  const refused: [string, RegExp][] = [
    ['', /^read: text, byte 0: expected a value of JSON, got the end$/],
    ['[1,]', /byte 3: expected a value of JSON, got byte 0x5d/],
    ['{"a":1,"a":2}', /byte 7: expected each key once, got "a" again/],
    ['{"__proto__":{"x":1}}', /byte 1: expected names of options, got "__proto__"/],
    ['{"\\u005f_proto__":1}', /got "__proto__"/],
    ['tru', /byte 0: expected a value/],
    ['nan', /byte 0/],
    ['-', /byte 0: expected a value of JSON, got -/],
    ['1e999', /got 1e999/],
    ['1 2', /byte 2: expected the end/],
    ['[1 2]', /byte 3: expected ',' or '\]'/],
    ['"a', /byte 2: expected the end of the string, got the end/],
    [`${'['.repeat(66)}`, /at most 64 levels/],
    ['9'.repeat(1000), /expected a value of JSON/],
    // More than may be a function's arguments.
    ['9'.repeat(500_000), /byte 0: expected a value of JSON/],
  ];
  for (const [text, message] of refused) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof FormatError && message.test(error.message),
      text.slice(0, 100),
    );
  }
  assert.equal(({} as Record<string, unknown>).x, undefined);
});

test('what JSON.parse refuses is refused, and nothing but FormatError is thrown', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    'a',
    '1',
    '-',
    '.',
    'e',
    ' ',
    'true',
    '"k":',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      let mine: { value: Json } | undefined;
      try {
        mine = { value: parse(text) };
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
      if (mine !== undefined) assert.deepEqual(JSON.parse(text), mine.value);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

test('includesJson: members may be more, everything else must be the same', () => {
  assert.ok(includesJson({ a: 1, b: [1, { c: 2, d: 3 }] }, { b: [1, { c: 2 }] }));
  for (const part of [
    { z: 1 },
    { a: 2 },
    { b: [1] },
    { b: { 0: 1 } },
    { a: '1' },
    { toString: null },
    [1],
    null,
  ]) {
    assert.equal(includesJson({ a: 1, b: [1, {}] }, part as Json), false, JSON.stringify(part));
  }
  assert.equal(includesJson({ a: 0 }, { a: -0 }), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, formatValue } from '../src/errors.ts';
import { dense, lpPooling2d } from '../src/index.ts';

test('what was received is shown as itself: numbers that JSON has no words for, too', () => {
  const itself: unknown[] = [];
  itself.push(itself);
  const shown: [unknown, string][] = [
    [Number.NaN, 'NaN'],
    [[1, -Infinity, 'NaN'], '[1,-Infinity,"NaN"]'],
    [{ size: 5n }, '{"size":5n}'],
    ['"\u0001', '"\\"\\u0001"'],
    [undefined, 'undefined'],
    [function relu() {}, 'relu function'],
    [Symbol('s'), 'Symbol(s)'],
    [itself, '[object Array]'],
    [null, 'null'],
  ];
  for (const [value, text] of shown) assert.equal(formatValue(value), text);
});

test('layers show it so', () => {
  assert.throws(() => dense({ units: Number.NaN }), refusalOf('NaN'));
  assert.throws(() => lpPooling2d({ p: Infinity }), refusalOf('Infinity'));
  assert.throws(() => dense({ units: 5n as never }), refusalOf('5n'));
});

function refusalOf(received: string) {
  return (error: unknown) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.details.received, received);
    return true;
  };
}

/** A model's memory: what moves, what stays, and that a refusal changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, MemoryError } from '../../src/errors.ts';
import { plainBuffer } from '../../src/model/buffers.ts';
import { Arena, formatBytes } from '../../src/parallel/arena.ts';

const PAGE = 65_536;
const buffer = (name: string, fixedBytes: number) => plainBuffer(name, 'model', { fixedBytes });

test('buffers keep place and content when others come and when the memory is replaced', () => {
  const arena = new Arena();
  arena.reserve([buffer('a', 40)]);
  arena.floats('a').fill(7);
  const { memory, generation } = arena;
  arena.reserve([buffer('a', 40), buffer('b', 10 * PAGE)]);
  assert.notEqual(arena.memory, memory);
  assert.notEqual(arena.generation, generation);
  assert.deepEqual([...arena.floats('a')], new Array(10).fill(7));
  assert.ok(arena.floats('b').every((value) => value === 0));
  assert.equal(arena.addressOf(buffer('b', 10 * PAGE)) % 64, 0);
});

test('new buffers are zero even where a step has left its numbers', () => {
  const arena = new Arena();
  arena.reserve([], 1000);
  arena.heap.f32.fill(3, arena.transientBase / 4);
  arena.reserve([buffer('a', 400)]);
  assert.ok(arena.floats('a').every((value) => value === 0));
  arena.clearTransient();
  assert.ok(arena.heap.f32.subarray(arena.transientBase / 4).every((value) => value === 0));
});

test('what does not fit is refused with the sizes, and nothing has changed then', () => {
  const arena = new Arena(4 * PAGE);
  arena.reserve([buffer('a', 40)]);
  const { transientBase, generation } = arena;
  const large = [buffer('b', 3 * PAGE), buffer('c', 2 * PAGE)];
  for (let attempt = 0; attempt < 2; attempt++) {
    assert.throws(
      () => arena.reserve(large),
      (error) =>
        error instanceof MemoryError &&
        /at most 256.0 KiB, memoryLimit, got 32[0-9].[0-9] KiB/.test(error.message),
    );
  }
  assert.ok(!arena.has('b') && !arena.has('c'));
  assert.deepEqual([arena.transientBase, arena.generation], [transientBase, generation]);
  assert.throws(() => arena.reserve([], 4 * PAGE), MemoryError);
  arena.reserve([buffer('b', 2 * PAGE)]);
  assert.equal(arena.floats('b').length, (2 * PAGE) / 4);
});

test('two buffers of one name and different sizes are refused', () => {
  const arena = new Arena();
  arena.reserve([buffer('a', 40)]);
  assert.throws(() => arena.reserve([buffer('a', 44)]), ConfigError);
  assert.throws(() => arena.reserve([buffer('b', 40), buffer('b', 44)]), ConfigError);
  assert.ok(!arena.has('b'));
});

test('a limit that no memory can have is refused', () => {
  for (const limit of [0, PAGE - 1, 2 ** 32 + 1, Number.NaN])
    assert.throws(() => new Arena(limit), ConfigError);
});

test('sizes are printed in units of 1024', () => {
  assert.deepEqual([2048, 12_345_678, 2 ** 31].map(formatBytes), ['2.0 KiB', '11.8 MiB', '2.00 GiB']);
});

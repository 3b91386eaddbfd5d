import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/errors.ts';
import {
  checkedProduct,
  DTYPE_BYTES,
  headerLength,
  parseHeader,
  type SafetensorsHeader,
} from '../../src/io/safetensors-header.ts';
import { SEED } from '../helpers/arbitraries.ts';
import { fileOf, oneTensor } from '../helpers/safetensors-bytes.ts';

function parse(file: Uint8Array): SafetensorsHeader {
  const length = headerLength(file, file.length, 'read');
  return parseHeader(file.subarray(8, 8 + length), file.length, 'read');
}

const tensors = (file: Uint8Array) => [...parse(file).tensors.values()];

describe('what the format allows is read', () => {
  test('no tensors at all, with and without metadata, padded with spaces', () => {
    assert.equal(parse(fileOf('{}')).tensors.size, 0);
    const { metadata, dataStart } = parse(fileOf('{"__metadata__":{"a":"x"}}      '));
    assert.deepEqual([...metadata], [['a', { text: 'x', at: 8 + 22 }]]);
    assert.equal(dataStart, 8 + 32);
  });

  test('scalars, zero extents, every dtype, and tensors in any order', () => {
    const header =
      '{"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"shape":[],"data_offsets":[0,4],"dtype":"I32"},' +
      '"empty":{"dtype":"F64","shape":[3,0,9007199254740991],"data_offsets":[4,4]}}';
    const start = 8 + header.length;
    assert.deepEqual(tensors(fileOf(header, 12)), [
      { name: 'a', dtype: 'I32', shape: [], begin: start, end: start + 4 },
      { name: 'empty', dtype: 'F64', shape: [3, 0, 9007199254740991], begin: start + 4, end: start + 4 },
      { name: 'b', dtype: 'F32', shape: [2], begin: start + 4, end: start + 12 },
    ]);
    for (const [dtype, bytes] of DTYPE_BYTES) {
      const one = `{"t":{"dtype":"${dtype}","shape":[3],"data_offsets":[0,${3 * bytes}]}}`;
      assert.equal(tensors(fileOf(one, 3 * bytes))[0]!.dtype, dtype);
    }
  });

  test('data need not be aligned, and whitespace may stand between tokens', () => {
    const header = '{ "w" :\n\t{"dtype":"U8", "shape": [ 3 ],\r"data_offsets":[0 ,3]} }';
    assert.equal(tensors(fileOf(header, 3))[0]!.begin, 8 + header.length);
  });

  test('names of prototypes are names', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];
    const members = names.map(
      (name) => `${JSON.stringify(name)}:{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`,
    );
    const header = `{"__metadata__":{"__proto__":"p","constructor":"c"},${members}}`;
    const { metadata, tensors: found } = parse(fileOf(header));
    assert.deepEqual([...found.keys()], names);
    assert.deepEqual([...metadata.keys()], ['__proto__', 'constructor']);
    assert.equal(Object.hasOwn(Object.prototype, 'dtype'), false);
  });

  test('escapes and characters beyond ASCII', () => {
    const header = '{"\\u0061\\n\\ud83d\\ude00é\\/":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}';
    assert.equal(tensors(fileOf(header))[0]!.name, 'a\n😀é/');
  });
});

const F32 = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
/** What is refused: the file, the byte at fault, what was expected. */
const REFUSED: Record<string, [Uint8Array, number, RegExp]> = {
  'an empty file': [new Uint8Array(0), 0, /at least 10 bytes, got 0 bytes in all/],
  'nine bytes': [new Uint8Array(9), 0, /at least 10 bytes/],
  'a length of 0': [fileOf('{}', 0, 0), 0, /a header length of 2 to 2, got 0/],
  'a length beyond the file': [fileOf('{}', 0, 3), 0, /a header length of 2 to 2, got 3/],
  'a length beyond 2^53': [
    fileOf('{}', 0, 2n ** 64n - 1n),
    0,
    /got 18446744073709551615 in a file of 10 bytes/,
  ],
  'a header that is an array': [fileOf('[]'), 8, /'\{', got byte 0x5b/],
  'a header that begins with a space': [fileOf(' {}'), 8, /'\{', got byte 0x20/],
  'an unfinished header': [fileOf('{"w"'), 12, /':', got the end/],
  'something after the header': [fileOf('{}\n'), 10, /the end, or spaces/],
  'a null after the header': [fileOf('{}\0'), 10, /the end, or spaces/],
  'a byte-order mark': [fileOf('\ufeff{}'), 8, /'\{', got byte 0xef/],
  'a trailing comma': [fileOf(`{"w":${F32},}`, 4), 8 + 54, /a string/],
  'invalid UTF-8': [fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x7d)), 10, /valid UTF-8/],
  'a lone surrogate': [fileOf(`{"\\ud800":${F32}}`, 4), 9, /whole characters/],
  'a control character in a name': [fileOf(`{"\n":${F32}}`, 4), 10, /no control characters/],
  'an unknown escape': [fileOf(`{"\\x":${F32}}`, 4), 10, /an escape of JSON/],
  'a name twice': [fileOf(`{"w":${F32},"w":${F32}}`, 4), 8 + 54, /each key once, got "w" again/],
  'a name twice, once escaped': [
    fileOf(`{"w":${F32},"\\u0077":${F32}}`, 4),
    8 + 54,
    /each key once, got "w" again/,
  ],
  'metadata twice': [fileOf('{"__metadata__":{},"__metadata__":{}}'), 8 + 19, /each key once/],
  'a metadata key twice': [fileOf('{"__metadata__":{"a":"","a":""}}'), 8 + 24, /each key once/],
  'metadata that are no strings': [
    fileOf('{"__metadata__":{"a":1}}'),
    8 + 21,
    /a string, got byte 0x31 \('1'\)/,
  ],
  'metadata that are a list': [fileOf('{"__metadata__":[]}'), 8 + 16, /'\{'/],
  'a tensor that is a number': [fileOf('{"w":1}'), 8 + 5, /'\{'/],
  'an unknown dtype': [fileOf(`{"w":${F32.replace('F32', 'F4')}}`, 4), 8 + 6, /a dtype of BOOL,U8.*got "F4"/],
  'no dtype': [fileOf('{"w":{"shape":[1],"data_offsets":[0,4]}}', 4), 8 + 1, /dtype of "w", got none/],
  'no shape': [fileOf('{"w":{"dtype":"F32","data_offsets":[0,4]}}', 4), 8 + 1, /shape of "w"/],
  'no offsets': [fileOf('{"w":{"dtype":"F32","shape":[1]}}', 4), 8 + 1, /data_offsets \[begin, end\] of "w"/],
  'three offsets': [
    fileOf(`{"w":${F32.replace('[0,4]', '[0,4,4]')}}`, 4),
    8 + 1,
    /data_offsets \[begin, end\]/,
  ],
  'a member of no meaning': [
    fileOf(`{"w":${F32.replace('}', ',"x":1}')}}`, 4),
    8 + 53,
    /data_offsets, got "x"/,
  ],
  'a shape twice': [fileOf(`{"w":${F32.replace('}', ',"shape":[1]}')}}`, 4), 8 + 53, /each key once/],
  'a negative extent': [fileOf(oneTensor([-1], 0, 4), 4), 8 + 29, /an extent from 0 to 2\^53-1, got -1/],
  'an extent of 1.0': [fileOf(oneTensor('[1.0]', 0, 4), 4), 8 + 29, /an extent .*got 1\.0/],
  'an extent of 1e0': [fileOf(oneTensor('[1e0]', 0, 4), 4), 8 + 29, /got 1e0/],
  'an extent of 01': [fileOf(oneTensor('[01]', 0, 4), 4), 8 + 29, /got 01/],
  'an extent beyond 2^53': [fileOf(oneTensor('[9007199254740992]', 0, 4), 4), 8 + 29, /got 9007199254740992/],
  'a product beyond 2^53': [
    fileOf(oneTensor([2 ** 30, 2 ** 30], 0, 4), 4),
    8 + 1,
    /fewer than 2\^53 bytes for F32 \[1073741824,1073741824\], got \[0, 4\] of "w"/,
  ],
  'a product that is 0 modulo 2^64': [
    fileOf(oneTensor('[4294967296,4294967296]', 0, 0)),
    8 + 1,
    /fewer than 2\^53/,
  ],
  'bytes that are not those of the shape': [
    fileOf(oneTensor([3], 0, 8), 8),
    8 + 1,
    /12 bytes apart for F32 \[3\]/,
  ],
  'an end before its begin': [fileOf(oneTensor([1], 4, 0), 4), 8 + 1, /4 bytes apart/],
  'a gap at the start': [
    fileOf(oneTensor([1], 4, 8), 8),
    8 + 1,
    /data from 0 on, without gap or overlap, got \[4, 8\]/,
  ],
  'an overlap': [
    fileOf(`{"a":${F32},"b":${F32}}`, 4),
    8 + 54,
    /data from 4 on, without gap or overlap, got \[0, 4\] of "b"/,
  ],
  'a tensor beyond the end': [fileOf(oneTensor([2], 0, 8), 4), 8 + 58, /a file of 70 bytes, got 66 bytes/],
  'more than the tensors': [fileOf(oneTensor([1], 0, 4), 5), 8 + 58, /a file of 66 bytes, got 67 bytes/],
  'a huge tensor in a tiny file': [
    fileOf(oneTensor([2 ** 40], 0, 2 ** 42)),
    8 + 78,
    /a file of 4398046511190 bytes, got 86 bytes/,
  ],
};

for (const [what, [file, at, expected]] of Object.entries(REFUSED)) {
  test(`${what} is refused, with the byte`, () => {
    assert.throws(
      () => parse(file),
      (error) => {
        assert.ok(error instanceof FormatError, String(error));
        assert.match(error.message, expected);
        const byte = Number(/^byte (\d+)$/.exec(error.details.argument!)![1]);
        assert.equal(byte, at, error.message);
        return true;
      },
    );
  });
}

test('a header beyond the limit is refused before it is read', () => {
  const first = fileOf('{}', 0, 101);
  assert.throws(() => headerLength(first, 1e9, 'read', 100), /a header length of 2 to 100, got 101/);
  assert.throws(() => headerLength(fileOf('{}', 0, 100_000_001), 1e9, 'read'), /2 to 100000000/);
});

test('products are exact or refused', () => {
  assert.equal(checkedProduct([]), 1);
  assert.equal(checkedProduct([3, 5, 0, 2 ** 52]), 0);
  assert.equal(checkedProduct([2 ** 26, 2 ** 26]), 2 ** 52);
  assert.equal(checkedProduct([2 ** 27, 2 ** 26]), undefined);
  assert.equal(checkedProduct([94906267, 94906267]), undefined, 'the first square beyond 2^53');
  assert.equal(checkedProduct([94906265, 94906265]), 9007199136250225);
});

/** Random names and shapes, laid out without gaps, in a random order in the header. */
const layouts = fc.array(
  fc.record({
    name: fc.string({ unit: 'grapheme', maxLength: 12 }),
    dtype: fc.constantFrom(...DTYPE_BYTES.keys()),
    shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
    rank: fc.double({ noNaN: true }),
  }),
  { maxLength: 8 },
);

test('what a strict writer writes is read back, and every truncation of it is refused', () => {
  const property = fc.property(
    layouts,
    fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
    (all, texts) => {
      const entries = all.filter(
        ({ name }, i) => name !== '__metadata__' && all.findIndex((e) => e.name === name) === i,
      );
      let end = 0;
      const placed = entries.map(({ name, dtype, shape, rank }) => {
        const begin = end;
        end += shape.reduce((product, extent) => product * extent, DTYPE_BYTES.get(dtype)!);
        return { name, dtype, shape, rank, begin, end };
      });
      const members = [...placed]
        .sort((a, b) => a.rank - b.rank)
        .map(
          ({ name, dtype, shape, begin, end: to }) =>
            `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, to] })}`,
        );
      const file = fileOf(`{${[`"__metadata__":${JSON.stringify(texts)}`, ...members]}}`, end);
      const { tensors: found, metadata, dataStart } = parse(file);
      for (const { name, dtype, shape, begin, end: to } of placed) {
        assert.deepEqual(found.get(name), {
          name,
          dtype,
          shape,
          begin: dataStart + begin,
          end: dataStart + to,
        });
      }
      assert.equal(found.size, placed.length);
      assert.deepEqual(
        [...metadata].map(([key, { text }]) => [key, text]),
        Object.entries(texts),
      );
      for (let length = 0; length < file.length; length++) {
        assert.throws(() => parse(file.subarray(0, length)), FormatError);
      }
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 60 });
});

test('random changes of a header are read or refused with FormatError, nothing else', () => {
  const header = `{"__metadata__":{"k":"v"},"a":${F32},"b":{"dtype":"U8","shape":[2,3],"data_offsets":[4,10]}}`;
  const file = fileOf(header, 10);
  const edits = fc.array(fc.tuple(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  const property = fc.property(edits, (changes) => {
    const changed = file.slice();
    for (const [at, byte] of changes) changed[at] = byte;
    try {
      parse(changed);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 3000 });
});

/**
 * The assembler: mistakes are refused with the function and the instruction named; what it emits is what the
 * engine accepts and computes, and what wabt reads and writes.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import wabt from 'wabt';
import { KernelError } from '../../../src/errors.ts';
import {
  assembleModule,
  FunctionBuilder,
  type ValueType,
} from '../../../src/kernels/simd/assembler/index.ts';
import {
  LANE,
  type LaneName,
  MEMORY,
  MEMORY_LANE,
  type MemoryLaneName,
  type MemoryName,
  PLAIN,
  type PlainName,
  SATURATING,
  VECTOR,
} from '../../../src/kernels/simd/assembler/instructions.ts';
import { check } from '../../helpers/arbitraries.ts';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });

/** Instantiates the functions and returns the first. */
function run(...functions: FunctionBuilder[]): (...args: (number | bigint)[]) => number | bigint {
  const module = new WebAssembly.Module(assembleModule(functions));
  return new WebAssembly.Instance(module, { env: { memory } }).exports['0'] as ReturnType<typeof run>;
}

function valueTypes(list: string): ValueType[] {
  return list === '' ? [] : (list.split(' ') as ValueType[]);
}

/** A function around one instruction: its operands are the parameters, its results the results. */
function around(name: string, operands: string, results: string, emit: (b: FunctionBuilder) => void) {
  const params = valueTypes(operands).map((type, i) => [`operand${i}`, type] as const);
  const b = new FunctionBuilder(name, params, valueTypes(results));
  for (const param of b.params) b.get(param);
  emit(b);
  return b;
}

/** One function for every row of the tables. */
function everyInstruction(): FunctionBuilder[] {
  const plain = Object.entries({ ...PLAIN, ...SATURATING, ...VECTOR }).map(([name, [, operands, results]]) =>
    around(name, operands, results, (b) => b.op(name as PlainName)),
  );
  const memoryAccesses = Object.entries(MEMORY).map(([name, [, , , operands, results]]) =>
    around(name, operands, results, (b) => b.memory(name as MemoryName, 20)),
  );
  const lanes = Object.entries(LANE).map(([name, [, count, operands, results]]) =>
    around(name, operands, results, (b) => b.lane(name as LaneName, count - 1)),
  );
  const memoryLanes = Object.entries(MEMORY_LANE).map(([name, [, bytes, operands, results]]) =>
    around(name, operands, results, (b) => b.memoryLane(name as MemoryLaneName, 16 / bytes - 1, 300)),
  );
  return [...plain, ...memoryAccesses, ...lanes, ...memoryLanes];
}

/** The other forms: constants, shuffle, select, drop, calls, and all the control flow. */
function everyForm(): FunctionBuilder {
  const callee = new FunctionBuilder('callee', [['x', 'f64']], ['f64']);
  callee.get(callee.param('x'));
  const b = new FunctionBuilder('forms', [['n', 'i32']], ['f64']);
  const i = b.local('i32', 'i');
  const j = b.local('i32', 'j');
  const sum = b.local('f64', 'sum');
  const v = b.local('v128', 'v');
  const [w] = b.localArray('v128', 2, 'w');
  b.i32(-1)
    .drop('i32')
    .i64(-(2n ** 63n))
    .drop('i64')
    .f32(1.5)
    .drop('f32')
    .f64(-0)
    .drop('f64');
  b.f32x4(0.1).tee(v).f64x2(1e300).shuffleLanes([7, 0, 5, 2]).i32x4([1, -2, 3, -4]).op('v128.xor').set(w!);
  b.get(v).get(w!).get(i).select('v128').set(v);
  b.forRange(i, b.param('n'), () => {
    b.forRange(j, 300, () => b.get(sum).call(callee).f64(1).op('f64.add').set(sum), {
      step: 100,
      test: 'last',
    });
  });
  b.block((outer) => {
    b.loop((again) => {
      b.get(i).i32(7).op('i32.gt_s').brIf(outer).advance(i, 1).get(i).brIf(again).br(outer);
    });
  });
  b.get(i).if(
    () => b.advance(j, -5),
    () => b.get(sum).return(),
  );
  b.get(j).if(() => b.f64(0).return());
  return b.get(sum);
}

test('every instruction of the tables validates in the engine', () => {
  for (const builder of everyInstruction()) {
    assert.ok(WebAssembly.validate(assembleModule([builder])), `${builder.name} does not validate`);
  }
  assert.ok(WebAssembly.validate(assembleModule([everyForm()])));
});

/** The bytes of a module's section. */
function sectionOf(module: Uint8Array, wanted: number): Uint8Array {
  let at = 8;
  while (at < module.length) {
    const id = module[at++]!;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (id === wanted) return module.slice(at, at + size);
    at += size;
  }
  assert.fail(`no section ${wanted}`);
}

const CODE_SECTION = 10;
const FEATURES = { simd: true, threads: true, relaxed_simd: true, sat_float_to_int: true };

test('wabt reads every instruction under its name, and writes the same bytes from its own text', async () => {
  const { readWasm, parseWat } = await wabt();
  const functions = everyInstruction();
  const bytes = assembleModule(functions);
  const module = readWasm(bytes, { ...FEATURES, readDebugNames: true });
  const text = module.toText({ foldExprs: false, inlineExport: false });
  const bodies = text.split('\n  (func ').slice(1);
  assert.equal(bodies.length, functions.length);
  bodies.forEach((body, i) => {
    const { name } = functions[i]!;
    const line = body
      .trimEnd()
      .split('\n')
      .find((candidate) => /^ {4}[a-z]/.test(candidate) && !/^ {4}local/.test(candidate));
    assert.equal(line?.trim().split(/[ )]/)[0], name);
    assert.ok(body.startsWith(`$${name} `), `the name section calls ${name} by its name`);
  });
  const again = parseWat('every-instruction.wat', text, FEATURES).toBinary({});
  assert.deepEqual(sectionOf(again.buffer, CODE_SECTION), sectionOf(bytes, CODE_SECTION));
});

test('wabt reads calls, constants and control flow as they were meant', async () => {
  const { readWasm, parseWat } = await wabt();
  const options = { foldExprs: false, inlineExport: false };
  const bytes = assembleModule([everyForm()]);
  const text = readWasm(bytes, { ...FEATURES, readDebugNames: true }).toText(options);
  // wabt writes the callee's index in one byte, the assembler in five: the texts are compared.
  const again = parseWat('forms.wat', text, FEATURES).toBinary({ write_debug_names: true }).buffer;
  assert.equal(readWasm(again, { ...FEATURES, readDebugNames: true }).toText(options), text);
  for (const line of [
    'i32.const -1',
    'i64.const -9223372036854775808',
    'f32.const 0x1.8p+0 (;=1.5;)',
    'f64.const -0x0p+0 (;=-0;)',
    'v128.const i32x4 0x3dcccccd 0x3dcccccd 0x3dcccccd 0x3dcccccd',
    'v128.const i32x4 0x00000001 0xfffffffe 0x00000003 0xfffffffc',
    'i8x16.shuffle 28 29 30 31 0 1 2 3 20 21 22 23 8 9 10 11',
    'select (result v128)',
    'call 1',
  ]) {
    assert.ok(text.includes(`  ${line}\n`), `${line} is not in\n${text}`);
  }
});

/** Each mistake: what is wrong, the instruction that must be named, the words expected, and the code. */
const MISTAKES: readonly (readonly [string, string, RegExp, (b: FunctionBuilder) => unknown])[] = [
  [
    'an operand of another type',
    'f32x4.add',
    /an operand of type v128, got i32/,
    (b) => b.f32x4(1).i32(1).op('f32x4.add'),
  ],
  [
    'a missing operand',
    'i32.add',
    /an operand of type i32, got an empty stack/,
    (b) => b.i32(1).op('i32.add'),
  ],
  [
    'operands in the wrong order',
    'v128.store',
    /type v128, got i32/,
    (b) => b.f32x4(1).i32(0).memory('v128.store'),
  ],
  ['a local of another type', 'local.set', /type f64, got f32/, (b) => b.f32(1).set(b.local('f64'))],
  [
    'an operand from outside the block',
    'f64.neg',
    /got an empty stack/,
    (b) => b.f64(1).block(() => b.op('f64.neg')),
  ],
  ['a value left in a block', 'block', /no value left over, got f32/, (b) => b.block(() => b.f32(1))],
  ['a value left in a loop', 'loop', /no value left over, got i32/, (b) => b.loop(() => b.i32(1))],
  [
    'a value left before else',
    'else',
    /no value left over/,
    (b) =>
      b.i32(1).if(
        () => b.i32(2),
        () => b.i32(3),
      ),
  ],
  ['a condition that is no i32', 'if', /type i32, got f64/, (b) => b.f64(1).if(() => {})],
  ['a branch on nothing', 'br_if', /got an empty stack/, (b) => b.block((exit) => b.brIf(exit))],
  [
    'operands of select that differ',
    'select',
    /type f32, got f64/,
    (b) => b.f64(1).f32(1).i32(1).select('f32'),
  ],
  [
    'a lane too far',
    'f32x4.extract_lane',
    /a lane below 4, got 4/,
    (b) => b.f32x4(1).lane('f32x4.extract_lane', 4),
  ],
  [
    'a lane of memory too far',
    'v128.load64_lane',
    /a lane below 2, got 2/,
    (b) => b.i32(0).f32x4(1).memoryLane('v128.load64_lane', 2),
  ],
  [
    'a negative offset',
    'f32.load',
    /an offset from 0 to 2\^32-1, got -4/,
    (b) => b.i32(0).memory('f32.load', -4),
  ],
  ['a parameter that is not there', 'param', /a parameter named y, got none/, (b) => b.param('y')],
  ['a result of another type', 'end', /type i32, got f32/, (b) => b.f32(1).finish()],
  ['a missing result', 'end', /type i32, got an empty stack/, (b) => b.finish()],
  ['a value too many at the end', 'end', /no value left over, got f64/, (b) => b.f64(1).i32(1).finish()],
  ['a return without the result', 'return', /type i32, got an empty stack/, (b) => b.return()],
  [
    'an argument of another type',
    'call callee',
    /type f64, got i32/,
    (b) => b.i32(1).call(new FunctionBuilder('callee', [['x', 'f64']])),
  ],
];

test('mistakes are refused, with the function, the instruction and the types named', () => {
  for (const [what, instruction, message, emit] of MISTAKES) {
    assert.throws(
      () => emit(new FunctionBuilder('guilty', [['x', 'i32']], ['i32'])),
      (error) =>
        error instanceof KernelError &&
        error.message.startsWith('assembler: function "guilty", instruction ') &&
        error.message.includes(` ${instruction}: expected `) &&
        message.test(error.message),
      what,
    );
  }
});

test('a branch to a label that does not enclose it is refused', () => {
  const b = new FunctionBuilder('guilty', []);
  b.block((closed) => {
    b.block((open) => b.br(open));
    b.block(() => {
      b.block((inner) => b.i32(1).brIf(inner));
      b.br(closed);
    });
  });
  let escaped: Parameters<FunctionBuilder['br']>[0] | undefined;
  b.block((label) => {
    escaped = label;
  });
  assert.throws(() => b.br(escaped!), /br: expected the label of an enclosing block/);
  b.block(() => {
    assert.throws(() => b.br(escaped!), /br: expected the label of an enclosing block/);
  });
});

test('constants of every size reach the engine unchanged', () => {
  check(
    fc.oneof(fc.integer(), fc.constantFrom(0, -1, 63, 64, -64, -65, 127, 128, 2 ** 31 - 1, -(2 ** 31))),
    100,
    (n) => {
      assert.equal(run(new FunctionBuilder('i32', [], ['i32']).i32(n))(), n);
    },
  );
  check(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 100, (n) => {
    assert.equal(run(new FunctionBuilder('i64', [], ['i64']).i64(n))(), n);
  });
  check(fc.double(), 100, (x) => {
    assert.ok(Object.is(run(new FunctionBuilder('f64', [], ['f64']).f64(x))(), x));
    assert.ok(Object.is(run(new FunctionBuilder('f32', [], ['f32']).f32(x))(), Math.fround(x)));
    const lane = new FunctionBuilder('f32x4', [], ['f32']).f32x4(x).lane('f32x4.extract_lane', 3);
    assert.ok(Object.is(run(lane)(), Math.fround(x)));
    const half = new FunctionBuilder('f64x2', [], ['f64']).f64x2(x).lane('f64x2.extract_lane', 1);
    assert.ok(Object.is(run(half)(), x));
  });
});

test('shuffleLanes picks lanes of the first vector by 0 to 3, of the second by 4 to 7', () => {
  const index = fc.integer({ min: 0, max: 7 });
  check(fc.tuple(index, index, index, index), 50, (lanes) => {
    lanes.forEach((picked, lane) => {
      const b = new FunctionBuilder('shuffle', [], ['i32']);
      b.i32x4([0, 1, 2, 3]).i32x4([4, 5, 6, 7]).shuffleLanes(lanes).lane('i32x4.extract_lane', lane);
      assert.equal(run(b)(), picked);
    });
  });
});

test('forRange runs as the JavaScript loop it stands for', () => {
  const bounds = fc.record({
    start: fc.integer({ min: -20, max: 20 }),
    limit: fc.integer({ min: -20, max: 20 }),
    step: fc.integer({ min: 1, max: 7 }),
    last: fc.boolean(),
    known: fc.boolean(),
  });
  check(bounds, 100, ({ start, limit, step, last, known }) => {
    const b = new FunctionBuilder(
      'loop',
      [
        ['start', 'i32'],
        ['limit', 'i32'],
      ],
      ['i32'],
    );
    const [counter, sum] = b.localArray('i32', 2);
    const options = { start: known ? start : b.param('start'), step, test: last ? 'last' : 'first' } as const;
    // A polynomial of the counters seen, in order.
    const body = () =>
      b.get(sum!).i32(31).op('i32.mul').get(counter!).op('i32.add').i32(1).op('i32.add').set(sum!);
    b.forRange(counter!, known ? limit : b.param('limit'), body, options).get(sum!);
    let expected = 0;
    let i = start;
    if (last || i < limit) {
      do {
        expected = (Math.imul(expected, 31) + i + 1) | 0;
        i += step;
      } while (i < limit);
    }
    assert.equal(run(b)(start, limit), expected);
  });
});

test('calls reach their functions, however many there are and whoever calls first', () => {
  const square = new FunctionBuilder('square', [['x', 'f64']], ['f64']);
  square.get(square.param('x')).get(square.param('x')).op('f64.mul');
  const fourth = new FunctionBuilder('fourth', [['x', 'f64']], ['f64']);
  fourth.get(fourth.param('x')).call(square).call(square);
  const both = new FunctionBuilder('both', [['x', 'f64']], ['f64']);
  both.get(both.param('x')).call(fourth).get(both.param('x')).call(square).op('f64.add');
  assert.equal(run(both)(3), 90);
  // More functions than a LEB128 of one byte can count.
  const many = Array.from({ length: 300 }, (_, i) => new FunctionBuilder(`f${i}`, [], ['i32']).i32(i));
  const first = new FunctionBuilder('first', [], ['i32']).call(many[299]!).call(many[1]!).op('i32.sub');
  assert.equal(run(first, ...many)(), 298);
});

test('the results of a module lie in the shared memory it imports', () => {
  const b = new FunctionBuilder('store', [['at', 'i32']]);
  b.get(b.param('at')).f32x4(1.25).memory('v128.store', 65_000);
  assert.equal(run(b)(84), undefined);
  assert.deepEqual([...new Float32Array(memory.buffer, 65_084, 4)], [1.25, 1.25, 1.25, 1.25]);
});

/**
 * The assembler: mistakes are refused with the function and the instruction named; what it emits is what the
 * engine accepts and computes, and what wabt reads and writes.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import wabt from 'wabt';
import { KernelError } from '../../../src/errors.ts';
import { assembleModule, FunctionBuilder, type ValueType } from '../../../src/kernels/simd/assembler/index.ts';
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
  b.i32(-1).drop('i32').i64(-(2n ** 63n)).drop('i64').f32(1.5).drop('f32').f64(-0).drop('f64');
  b.f32x4(0.1).tee(v).f64x2(1e300).shuffleLanes([7, 0, 5, 2]).i32x4([1, -2, 3, -4]).op('v128.xor').set(w!);
  b.get(v).get(w!).get(i).select('v128').set(v);
  b.forRange(i, b.param('n'), () => {
    b.forRange(j, 300, () => b.get(sum).call(callee).f64(1).op('f64.add').set(sum), { step: 100, test: 'last' });
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
  module.validate();
  const text = module.toText({ foldExprs: false, inlineExport: false });
  const bodies = text.split('\n  (func ').slice(1);
  assert.equal(bodies.length, functions.length);
  bodies.forEach((body, i) => {
    const { name } = functions[i]!;
    const line = body.trimEnd().split('\n').find((candidate) => /^ {4}[a-z]/.test(candidate) && !/^ {4}local/.test(candidate));
    assert.equal(line?.trim().split(/[ )]/)[0], name);
    assert.ok(body.startsWith(`$${name} `), `the name section calls ${name} by its name`);
  });
  const again = parseWat('every-instruction.wat', text, FEATURES).toBinary({});
  assert.deepEqual(sectionOf(again.buffer, CODE_SECTION), sectionOf(bytes, CODE_SECTION));
});

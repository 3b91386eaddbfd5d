/**
 * Builds one WebAssembly function, checking operand types while emitting: a mistake throws an error that
 * names the function, the instruction and the types. Instructions carry the specification's names.
 */
import { KernelError } from '../../../errors.ts';
import { f32Bytes, f64Bytes, paddedLeb, signedLeb, unsignedLeb } from './encoding.ts';
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
  type ValueType,
  VECTOR,
} from './instructions.ts';

/** Binary codes of the value types. */
export const TYPE_CODES: Record<ValueType, number> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** A parameter or local variable. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
  readonly name: string;
}

/** A branch target: the end of a block, or the head of a loop. */
export interface Label {
  readonly depth: number;
}

/** A call whose target's index is patched in by the module. */
export interface Relocation {
  readonly position: number;
  readonly target: FunctionBuilder;
}

interface Frame {
  readonly label: Label;
  readonly results: readonly ValueType[];
  readonly isLoop: boolean;
  readonly height: number;
  unreachable: boolean;
}

const EMPTY_BLOCK = 0x40;

/** One function under construction. Parameters and results are fixed at the start. */
export class FunctionBuilder {
  readonly name: string;
  readonly params: readonly Local[];
  readonly results: readonly ValueType[];
  readonly code: number[] = [];
  readonly locals: Local[] = [];
  readonly relocations: Relocation[] = [];
  #stack: ValueType[] = [];
  #frames: Frame[];

  constructor(
    name: string,
    params: readonly (readonly [name: string, type: ValueType])[],
    results: readonly ValueType[] = [],
  ) {
    this.name = name;
    this.params = params.map(([paramName, type], index) => ({ index, type, name: paramName }));
    this.results = results;
    this.#frames = [{ label: { depth: 0 }, results, isLoop: false, height: 0, unreachable: false }];
  }

  /** The parameter of this name. */
  param(name: string): Local {
    const found = this.params.find((param) => param.name === name);
    if (found === undefined) throw this.#mistake('param', `a parameter named ${name}`, 'none');
    return found;
  }

  /** Declares a local variable; it starts at zero. */
  local(type: ValueType, name = ''): Local {
    const local = { index: this.params.length + this.locals.length, type, name };
    this.locals.push(local);
    return local;
  }

  /** Declares several locals of one type. */
  localArray(type: ValueType, count: number, name = ''): Local[] {
    return Array.from({ length: count }, (_, i) => this.local(type, `${name}${i}`));
  }

  get(local: Local): this {
    return this.#emit('local.get', [0x20, ...unsignedLeb(local.index)], [], [local.type]);
  }

  set(local: Local): this {
    return this.#emit('local.set', [0x21, ...unsignedLeb(local.index)], [local.type], []);
  }

  tee(local: Local): this {
    return this.#emit('local.tee', [0x22, ...unsignedLeb(local.index)], [local.type], [local.type]);
  }

  i32(value: number): this {
    return this.#emit('i32.const', [0x41, ...signedLeb(BigInt(value | 0))], [], ['i32']);
  }

  i64(value: bigint): this {
    return this.#emit('i64.const', [0x42, ...signedLeb(value)], [], ['i64']);
  }

  f32(value: number): this {
    return this.#emit('f32.const', [0x43, ...f32Bytes(value)], [], ['f32']);
  }

  f64(value: number): this {
    return this.#emit('f64.const', [0x44, ...f64Bytes(value)], [], ['f64']);
  }

  /** A vector constant of four i32 lanes. */
  i32x4(lanes: readonly [number, number, number, number]): this {
    const bytes = lanes.flatMap((lane) => [0, 8, 16, 24].map((shift) => (lane >>> shift) & 0xff));
    return this.#emit('v128.const', [0xfd, 0x0c, ...bytes], [], ['v128']);
  }

  /** A vector constant with one f32 value in all four lanes. */
  f32x4(value: number): this {
    const lane = f32Bytes(value);
    return this.#emit('v128.const', [0xfd, 0x0c, ...lane, ...lane, ...lane, ...lane], [], ['v128']);
  }

  /** A vector constant with one f64 value in both lanes. */
  f64x2(value: number): this {
    const lane = f64Bytes(value);
    return this.#emit('v128.const', [0xfd, 0x0c, ...lane, ...lane], [], ['v128']);
  }

  /** An instruction without immediates. */
  op(name: PlainName): this {
    let code: number[];
    let row: readonly [number, string, string];
    if (name in PLAIN) {
      row = PLAIN[name as keyof typeof PLAIN];
      code = [row[0]];
    } else if (name in SATURATING) {
      row = SATURATING[name as keyof typeof SATURATING];
      code = [0xfc, row[0]];
    } else {
      row = VECTOR[name as keyof typeof VECTOR];
      code = [0xfd, ...unsignedLeb(row[0])];
    }
    return this.#emit(name, code, types(row[1]), types(row[2]));
  }

  /** A load or store at the popped address plus `offset` bytes; alignment is declared as 4 at most. */
  memory(name: MemoryName, offset = 0): this {
    const [prefix, code, bytes, operands, results] = MEMORY[name];
    const head = prefix === 0 ? [code] : [prefix, ...unsignedLeb(code)];
    const align = Math.min(2, Math.floor(31 - Math.clz32(bytes)));
    return this.#emit(
      name,
      [...head, align, ...unsignedLeb(this.#offset(name, offset))],
      types(operands),
      types(results),
    );
  }

  /** Reads or replaces one lane. */
  lane(name: LaneName, lane: number): this {
    const [code, lanes, operands, results] = LANE[name];
    if (lane < 0 || lane >= lanes) throw this.#mistake(name, `a lane below ${lanes}`, String(lane));
    return this.#emit(name, [0xfd, ...unsignedLeb(code), lane], types(operands), types(results));
  }

  /** Loads or stores one lane of a vector. */
  memoryLane(name: MemoryLaneName, lane: number, offset = 0): this {
    const [code, bytes, operands, results] = MEMORY_LANE[name];
    if (lane < 0 || lane >= 16 / bytes) throw this.#mistake(name, `a lane below ${16 / bytes}`, String(lane));
    const immediate = [2, ...unsignedLeb(this.#offset(name, offset)), lane];
    return this.#emit(name, [0xfd, ...unsignedLeb(code), ...immediate], types(operands), types(results));
  }

  /** i8x16.shuffle by f32 lanes: each index 0..7 picks a lane of the two popped vectors. */
  shuffleLanes(lanes: readonly [number, number, number, number]): this {
    const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
    return this.#emit('i8x16.shuffle', [0xfd, 0x0d, ...bytes], ['v128', 'v128'], ['v128']);
  }

  /** Pops a condition and two operands of `type`: the first where the condition is not zero. */
  select(type: ValueType): this {
    return this.#emit('select', [0x1c, 1, TYPE_CODES[type]], [type, type, 'i32'], [type]);
  }

  drop(type: ValueType): this {
    return this.#emit('drop', [0x1a], [type], []);
  }

  /** Calls another function of the same module (it is added to the module by itself). */
  call(target: FunctionBuilder): this {
    const position = this.code.length + 1;
    const operands = target.params.map((param) => param.type);
    this.#emit(`call ${target.name}`, [0x10, ...paddedLeb(0)], operands, target.results);
    this.relocations.push({ position, target });
    return this;
  }

  /** A block; branching to its label leaves it. */
  block(body: (label: Label) => void): this {
    return this.#structure('block', 0x02, false, body);
  }

  /** A loop; branching to its label starts it again. */
  loop(body: (label: Label) => void): this {
    return this.#structure('loop', 0x03, true, body);
  }

  /** Pops a condition. */
  if(then: () => void, otherwise?: () => void): this {
    this.#pop('if', 'i32');
    return this.#structure('if', 0x04, false, () => {
      then();
      if (otherwise !== undefined) {
        this.#close('else');
        this.code.push(0x05);
        otherwise();
      }
    });
  }

  br(label: Label): this {
    this.code.push(0x0c, ...unsignedLeb(this.#relative('br', label)));
    return this.#endPath();
  }

  /** Pops a condition and branches where it is not zero. */
  brIf(label: Label): this {
    this.#pop('br_if', 'i32');
    this.code.push(0x0d, ...unsignedLeb(this.#relative('br_if', label)));
    return this;
  }

  return(): this {
    for (const type of [...this.results].reverse()) this.#pop('return', type);
    this.code.push(0x0f);
    return this.#endPath();
  }

  /**
   * for (counter = start; counter < limit; counter += step): the limit is a number or a local.
   * `test: 'first'` checks before the first pass; 'last' runs the body at least once.
   */
  forRange(
    counter: Local,
    limit: number | Local,
    body: () => void,
    options: { start?: number | Local; step?: number; test?: 'first' | 'last' } = {},
  ): this {
    const { start = 0, step = 1, test = 'first' } = options;
    const push = (value: number | Local) => (typeof value === 'number' ? this.i32(value) : this.get(value));
    push(start).set(counter);
    return this.block((exit) => {
      if (test === 'first') {
        this.get(counter);
        push(limit).op('i32.ge_s').brIf(exit);
      }
      this.loop((again) => {
        body();
        this.get(counter).i32(step).op('i32.add').tee(counter);
        push(limit).op('i32.lt_s').brIf(again);
      });
    });
  }

  /** Adds a constant to an i32 local. */
  advance(local: Local, by: number): this {
    if (by === 0) return this;
    return this.get(local).i32(by).op('i32.add').set(local);
  }

  /** Body bytes: local declarations, code, end. Throws where values are left over or missing. */
  finish(): number[] {
    if (this.#frames.length !== 1) throw this.#mistake('end', 'all blocks closed', 'an open block');
    this.#close('end');
    const runs: { type: ValueType; count: number }[] = [];
    for (const { type } of this.locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count += 1;
      else runs.push({ type, count: 1 });
    }
    const head = runs.flatMap(({ type, count }) => [...unsignedLeb(count), TYPE_CODES[type]]);
    return [...unsignedLeb(runs.length), ...head, ...this.code, 0x0b];
  }

  #structure(name: string, code: number, isLoop: boolean, body: (label: Label) => void): this {
    const label = { depth: this.#frames.length };
    this.code.push(code, EMPTY_BLOCK);
    this.#frames.push({ label, results: [], isLoop, height: this.#stack.length, unreachable: false });
    body(label);
    this.#close(name);
    this.#frames.pop();
    this.code.push(0x0b);
    return this;
  }

  /** Checks that exactly the frame's results lie on the stack, and starts a fresh path in it. */
  #close(name: string): void {
    const frame = this.#frame();
    for (const type of [...frame.results].reverse()) this.#pop(name, type);
    if (this.#stack.length !== frame.height) {
      throw this.#mistake(name, 'no value left over', this.#stack.slice(frame.height).join(' '));
    }
    frame.unreachable = false;
  }

  #endPath(): this {
    const frame = this.#frame();
    this.#stack.length = frame.height;
    frame.unreachable = true;
    return this;
  }

  #emit(
    name: string,
    bytes: readonly number[],
    operands: readonly ValueType[],
    results: readonly ValueType[],
  ): this {
    for (let i = operands.length - 1; i >= 0; i--) this.#pop(name, operands[i]!);
    for (const byte of bytes) this.code.push(byte);
    for (const type of results) this.#stack.push(type);
    return this;
  }

  #pop(name: string, type: ValueType): void {
    const frame = this.#frame();
    if (this.#stack.length === frame.height) {
      if (frame.unreachable) return;
      throw this.#mistake(name, `an operand of type ${type}`, 'an empty stack');
    }
    const found = this.#stack.pop();
    if (found !== type) throw this.#mistake(name, `an operand of type ${type}`, String(found));
  }

  #frame(): Frame {
    return this.#frames[this.#frames.length - 1]!;
  }

  #relative(name: string, label: Label): number {
    const found = this.#frames[label.depth];
    if (found?.label !== label) throw this.#mistake(name, 'the label of an enclosing block', 'another');
    return this.#frames.length - 1 - label.depth;
  }

  #offset(name: string, offset: number): number {
    if (!Number.isInteger(offset) || offset < 0 || offset >= 2 ** 32) {
      throw this.#mistake(name, 'an offset from 0 to 2^32-1', String(offset));
    }
    return offset;
  }

  #mistake(instruction: string, expected: string, received: string): KernelError {
    return new KernelError({
      operation: `assembler: function "${this.name}", instruction ${this.code.length}`,
      argument: instruction,
      expected,
      received,
    });
  }
}

function types(list: string): readonly ValueType[] {
  return list === '' ? [] : (list.split(' ') as ValueType[]);
}

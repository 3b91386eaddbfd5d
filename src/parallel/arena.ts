/**
 * The arena: one shared WebAssembly.Memory a model.
 *
 *   [model buffers: parameters, optimizer state, prepared copies | transient region of the running program]
 *
 * It never grows in place (growing a shared memory leaves older views short): where a new program needs more, a
 * larger memory takes its place and the model buffers are copied over. `generation` counts layouts.
 */
import { ConfigError, MemoryError } from '../errors.ts';
import { type Heap, heapOf } from '../kernels/kernel.ts';
import type { PlannedBuffer } from '../layers/layer.ts';
import { bufferBytes } from '../model/buffers.ts';
import { availableBytes } from './available.ts';

const PAGE_BYTES = 65_536;
const MAX_PAGES = 65_536;
const MAX_BYTES = PAGE_BYTES * MAX_PAGES;
/** Nothing lies at address 0: a forgotten address would find zeros there. */
const FIRST_ADDRESS = 1024;

type Places = ReadonlyMap<string, { readonly address: number; readonly bytes: number }>;

/** A model's memory. */
export class Arena {
  readonly #limitBytes: number | undefined;
  memory: WebAssembly.Memory;
  heap: Heap;
  /** Changes whenever addresses or the memory itself change. */
  generation = 0;
  #modelEnd = FIRST_ADDRESS;
  readonly #model = new Map<string, { readonly address: number; readonly bytes: number }>();

  /**
   * `limitBytes`: what the arena may take, at most 4 GiB; default: 4 GiB, or what the system has available where that
   * is less. Throws ConfigError for other limits.
   */
  constructor(limitBytes?: number) {
    if (limitBytes !== undefined && !(limitBytes >= PAGE_BYTES && limitBytes <= MAX_BYTES)) {
      throw new ConfigError({
        operation: 'model',
        argument: 'memoryLimit',
        expected: '65,536 to 4,294,967,296 bytes',
        received: String(limitBytes),
      });
    }
    this.#limitBytes = limitBytes;
    this.memory = createMemory(1);
    this.heap = heapOf(this.memory.buffer);
  }

  /** Start of the transient region. */
  get transientBase(): number {
    return this.#modelEnd;
  }

  /** Bytes of the memory as it is. */
  get bytes(): number {
    return this.heap.u8.length;
  }

  /** Address of a model buffer; it must have been reserved. */
  addressOf(buffer: PlannedBuffer): number {
    return this.#model.get(buffer.name)!.address;
  }

  /** Whether a model buffer of this name exists. */
  has(name: string): boolean {
    return this.#model.has(name);
  }

  /** The floats of a model buffer; valid until the next reservation. */
  floats(name: string): Float32Array {
    const { address, bytes } = this.#model.get(name)!;
    return this.heap.f32.subarray(address / 4, (address + bytes) / 4);
  }

  /** What the arena may take now, and whose limit that is. */
  limit(): { readonly bytes: number; readonly whose: string } {
    if (this.#limitBytes !== undefined) return { bytes: this.#limitBytes, whose: 'memoryLimit' };
    const available = availableBytes();
    if (available >= MAX_BYTES) return { bytes: MAX_BYTES, whose: "WebAssembly's limit" };
    return { bytes: available, whose: 'what the system has available' };
  }

  /** Where model buffers would lie and end, known ones and new ones; nothing is reserved. */
  layOut(buffers: readonly PlannedBuffer[]): {
    readonly fresh: Places;
    readonly end: number;
    addressOf(buffer: PlannedBuffer): number;
  } {
    const fresh = new Map<string, { readonly address: number; readonly bytes: number }>();
    let end = this.#modelEnd;
    for (const buffer of buffers) {
      if (buffer.scope !== 'model') continue;
      const { name, fixedBytes: bytes } = buffer;
      const known = this.#model.get(name) ?? fresh.get(name);
      if (known !== undefined) {
        checkSameBytes(name, known.bytes, bytes);
        continue;
      }
      fresh.set(name, { address: end, bytes });
      end += bufferBytes(buffer, 0);
    }
    const addressOf = ({ name }: PlannedBuffer) => (this.#model.get(name) ?? fresh.get(name))!.address;
    return { fresh, end, addressOf };
  }

  /**
   * Reserves model buffers, zero at first, and room for a step of `transientBytes` behind them. Known names keep their
   * place and content. Throws MemoryError beyond the limit; nothing is reserved then.
   */
  reserve(buffers: readonly PlannedBuffer[], transientBytes = 0): void {
    const { fresh, end } = this.layOut(buffers);
    const from = this.#modelEnd;
    if (fresh.size === 0 && transientBytes === 0) return;
    const replaced = this.#provide(end + transientBytes, from);
    if (fresh.size > 0) this.heap.u8.fill(0, from, end);
    for (const [name, place] of fresh) this.#model.set(name, place);
    this.#modelEnd = end;
    if (replaced || fresh.size > 0) this.generation += 1;
  }

  /** Zeroes the transient region: halos must be zero, and programs leave other things there. */
  clearTransient(): void {
    this.heap.u8.fill(0, this.#modelEnd);
  }

  #provide(bytes: number, keep: number): boolean {
    if (bytes <= this.bytes) return false;
    const limit = this.limit();
    if (bytes > limit.bytes) {
      throw new MemoryError({
        operation: 'model',
        argument: 'memory',
        expected: `at most ${formatBytes(limit.bytes)}, ${limit.whose}`,
        received: formatBytes(bytes),
        hint: 'the model alone does not fit: use fewer filters or units, or an optimizer with less state',
      });
    }
    const old = this.heap;
    this.memory = createMemory(Math.ceil(bytes / PAGE_BYTES));
    this.heap = heapOf(this.memory.buffer);
    this.heap.u8.set(old.u8.subarray(0, Math.min(keep, old.u8.length)));
    return true;
  }
}

/** 12,345,678 bytes as '11.8 MiB'. */
export function formatBytes(bytes: number): string {
  if (bytes < 2 ** 20) return `${(bytes / 2 ** 10).toFixed(1)} KiB`;
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

/** Two buffers of one name are one: a longer one would reach into its neighbour. */
function checkSameBytes(name: string, expected: number, received: number): void {
  if (expected === received) return;
  throw new ConfigError({
    operation: 'model',
    argument: `buffer ${name}`,
    expected: `${expected} bytes, as before`,
    received: String(received),
    hint: 'layers must give different buffers different names',
  });
}

function createMemory(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: MAX_PAGES, shared: true });
  } catch (cause) {
    throw new MemoryError(
      {
        operation: 'model',
        argument: 'memory',
        expected: `${formatBytes(pages * PAGE_BYTES)} of shared memory, of ${formatBytes(availableBytes())} that the system has available`,
        received: cause instanceof Error ? cause.message : String(cause),
        hint: 'use fewer filters or units, or close models that are no longer needed',
      },
      { cause },
    );
  }
}

/** Places the buffers of a unit's scratch: buffers whose lives do not overlap share memory. */
import type { PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import { bufferBytes } from './buffers.ts';

interface Life {
  readonly buffer: PlannedBuffer;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/** Adds the addresses of all unit-scope buffers of `calls`, relative to the worker's base; returns the bytes needed. */
export function placeScratch(
  calls: readonly PlannedCall[],
  samples: number,
  addresses: Map<PlannedBuffer, number>,
): number {
  const lives = livesOf(calls, samples);
  let end = 0;
  const slots = new Map<string, { address: number; last: number }[]>();
  for (const life of lives.filter(({ buffer }) => buffer.layout !== '')) {
    const { buffer, bytes, first, last } = life;
    const shared = slots.get(buffer.layout) ?? [];
    slots.set(buffer.layout, shared);
    let slot = shared.find((candidate) => candidate.last < first);
    if (slot === undefined) {
      slot = { address: end, last };
      shared.push(slot);
      end += bytes;
    }
    slot.last = last;
    addresses.set(buffer, slot.address + buffer.originBytes);
  }
  const placed: { life: Life; address: number }[] = [];
  const base = end;
  const bySize = lives.filter(({ buffer }) => buffer.layout === '').sort((a, b) => b.bytes - a.bytes);
  for (const life of bySize) {
    const neighbours = placed
      .filter((other) => other.life.first <= life.last && life.first <= other.life.last)
      .sort((a, b) => a.address - b.address);
    let address = base;
    for (const other of neighbours) {
      if (address + life.bytes <= other.address) break;
      address = Math.max(address, other.address + other.life.bytes);
    }
    placed.push({ life, address });
    addresses.set(life.buffer, address + life.buffer.originBytes);
    end = Math.max(end, address + life.bytes);
  }
  return end;
}

/** First and last call that names each buffer, in the order of the first. */
function livesOf(calls: readonly PlannedCall[], samples: number): Life[] {
  const lives = new Map<PlannedBuffer, Life>();
  calls.forEach(({ operands }, index) => {
    for (const operand of operands) {
      if (typeof operand !== 'object' || operand.buffer.scope !== 'unit') continue;
      const { buffer } = operand;
      const life = lives.get(buffer);
      if (life !== undefined) life.last = index;
      else lives.set(buffer, { buffer, bytes: bufferBytes(buffer, samples), first: index, last: index });
    }
  });
  return [...lives.values()];
}

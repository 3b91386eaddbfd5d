/** Places buffers by liveness: those whose lives do not overlap share memory. */
import type { PlannedBuffer, PlannedCall, Scope } from '../layers/layer.ts';
import { alignBytes, bufferBytes } from './buffers.ts';

interface Life {
  readonly buffer: PlannedBuffer;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/**
 * Adds the addresses of all unit-scope buffers of `calls`, which run one after the other, relative to the worker's
 * base; returns the bytes needed.
 */
export function placeScratch(
  calls: readonly PlannedCall[],
  samples: number,
  addresses: Map<PlannedBuffer, number>,
): number {
  const lives = livesOf(
    calls.map((call) => [call]),
    'unit',
    samples,
  );
  return placeLives(lives, 0, addresses);
}

/**
 * Adds the addresses, from `from` on, of the batch-scope buffers of an inference's phases, whose calls run at the same
 * time; those of `kept` are read afterwards. Returns the end.
 */
export function placeBatch(
  phases: readonly (readonly PlannedCall[])[],
  samples: number,
  kept: ReadonlySet<PlannedBuffer>,
  from: number,
  addresses: Map<PlannedBuffer, number>,
): number {
  const lives = livesOf(phases, 'batch', samples);
  for (const life of lives) if (kept.has(life.buffer)) life.last = phases.length;
  return placeLives(lives, from, addresses);
}

/** Adds the addresses of all buffers of scope 'phases', from `from` on; returns where they end. */
export function placePhases(
  phases: readonly (readonly PlannedCall[])[],
  samples: number,
  from: number,
  addresses: Map<PlannedBuffer, number>,
): number {
  return alignBytes(placeLives(livesOf(phases, 'phases', samples), from, addresses));
}

function placeLives(lives: readonly Life[], from: number, addresses: Map<PlannedBuffer, number>): number {
  let end = from;
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

/** First and last step that names each buffer, in the order of the first. */
function livesOf(steps: readonly (readonly PlannedCall[])[], scope: Scope, samples: number): Life[] {
  const lives = new Map<PlannedBuffer, Life>();
  steps.forEach((calls, index) => {
    for (const operand of calls.flatMap(({ operands }) => operands)) {
      if (typeof operand !== 'object' || operand.buffer.scope !== scope) continue;
      const { buffer } = operand;
      const life = lives.get(buffer);
      if (life !== undefined) life.last = index;
      else lives.set(buffer, { buffer, bytes: bufferBytes(buffer, samples), first: index, last: index });
    }
  });
  return [...lives.values()];
}

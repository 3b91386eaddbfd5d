/**
 * A shard's calls in stretches: where all shards meet (batch normalisation needs the statistics of the whole batch),
 * the calls before and after are phases of their own, with units over the whole batch between.
 *
 * A worker's scratch holds nothing from one phase to the next, so a buffer that several phases use moves to scope
 * 'phases': a part for each sample, for as long as it is needed.
 */
import { ConfigError } from '../errors.ts';
import type { BufferRef, Operand, PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import type { Meeting } from './emit.ts';

type Units = readonly (readonly PlannedCall[])[];

/** Stretches of a shard's calls, and after each rounds of units over the whole batch. */
export interface Stretches {
  readonly shards: readonly (readonly PlannedCall[])[];
  readonly between: readonly (readonly Units[])[];
}

/** Cuts the calls, and moves what outlives a stretch. Throws ConfigError for scratch that is no sample's. */
export function cutStretches(
  calls: readonly PlannedCall[],
  meetings: readonly Meeting[],
  lastRounds: readonly Units[],
): Stretches {
  const ends = [...meetings.map(({ after }) => after), calls.length];
  const shards = ends.map((end, i) => calls.slice(i === 0 ? 0 : ends[i - 1]!, end));
  const between = [...meetings.map(({ units }) => [units]), lastRounds];
  const phases = shards.flatMap((stretch, i) => [stretch, ...between[i]!.map((units) => units.flat())]);
  const moved = movedBuffers(phases);
  if (moved.size === 0) return { shards: meetings.length === 0 ? [calls] : shards, between };
  const move = (call: PlannedCall) => withBuffers(call, moved);
  return {
    shards: shards.map((stretch) => stretch.map(move)),
    between: between.map((rounds) => rounds.map((units) => units.map((unit) => unit.map(move)))),
  };
}

/** Buffers of a unit's scratch that more than one phase names, and what takes their place. */
function movedBuffers(phases: Units): Map<PlannedBuffer, PlannedBuffer> {
  const users = new Map<PlannedBuffer, number>();
  const moved = new Map<PlannedBuffer, PlannedBuffer>();
  phases.forEach((calls, phase) => {
    for (const operand of calls.flatMap(({ operands }) => operands)) {
      if (!isRef(operand) || operand.buffer.scope !== 'unit') continue;
      const { buffer } = operand;
      const user = users.get(buffer);
      if (user === undefined) users.set(buffer, phase);
      else if (user !== phase && !moved.has(buffer)) moved.set(buffer, inPhases(buffer));
    }
  });
  return moved;
}

function inPhases(buffer: PlannedBuffer): PlannedBuffer {
  if (buffer.fixedBytes === 0) return { ...buffer, scope: 'phases' };
  throw new ConfigError({
    operation: 'plan',
    argument: buffer.name,
    expected: 'scratch to be used between two meetings of the shards only',
    received: 'a use before and after one',
    hint: "keep it in 'saved' (a part for each sample) or 'shared' (one for the batch)",
  });
}

function withBuffers(call: PlannedCall, moved: ReadonlyMap<PlannedBuffer, PlannedBuffer>): PlannedCall {
  if (!call.operands.some((operand) => isRef(operand) && moved.has(operand.buffer))) return call;
  const operands = call.operands.map((operand) => {
    const buffer = isRef(operand) ? moved.get(operand.buffer) : undefined;
    return buffer === undefined ? operand : { ...(operand as BufferRef), buffer };
  });
  return { ...call, operands };
}

function isRef(operand: Operand): operand is BufferRef {
  return typeof operand === 'object';
}

/**
 * Gives every buffer of a plan its address and encodes the program.
 *
 * Model-scope buffers get their addresses from the arena. The others lie in the transient region, which programs
 * share (only one runs at a time, and the region is zeroed when another takes over):
 *
 *   [program, batch, phases' and shard buffers | slot 0 | slot 1 | unit scratch of worker 0 | of worker 1 | ...]
 *
 * Scratch is shared by buffers whose lives within the shard's calls do not overlap; so are, by the phases that name
 * them, buffers of scope 'phases' and, in inference, of scope 'batch'. Buffers with a halo share only with buffers of
 * the same layout, so that their zeros survive.
 */
import type { KernelSpec } from '../kernels/kernel.ts';
import type { Operand, PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import { alignBytes, bufferBytes } from './buffers.ts';
import type { Plan, PlannedPhase } from './plan.ts';
import { encodeProgram, type PlacedArgument, type PlacedCall, type Program, TAG } from './program.ts';
import { placeBatch, placePhases, placeScratch } from './scratch.ts';

/** A program with the sizes that it needs around it. */
export interface PlacedProgram {
  readonly program: Program;
  /** Address of a buffer's first sample, relative to the slot or the worker for those scopes. */
  addressOf(buffer: PlannedBuffer): number;
  readonly slotBase: number;
  readonly slotBytes: number;
  readonly workerBase: number;
  readonly workerBytes: number;
  /** Bytes of the transient region for a number of workers, from its start. */
  transientBytes(workers: number): number;
}

/** All buffers that phases name, in the order of their first use. */
export function buffersOf(phases: readonly PlannedPhase[]): PlannedBuffer[] {
  const seen = new Set<PlannedBuffer>();
  const lists = new Set<readonly PlannedCall[]>();
  for (const { units } of phases) {
    for (const { calls } of units) {
      if (lists.has(calls)) continue;
      lists.add(calls);
      for (const { operands } of calls) {
        for (const operand of operands) if (isRef(operand)) seen.add(operand.buffer);
      }
    }
  }
  return [...seen];
}

/** Places a plan's phases; `modelAddress` knows the buffers of scope 'model', `base` starts the transient region. */
export function placeProgram(
  plan: Plan,
  phases: readonly PlannedPhase[],
  modelAddress: (buffer: PlannedBuffer) => number,
  base: number,
): PlacedProgram {
  const buffers = buffersOf(phases);
  for (const extra of [...resultsOf(plan), ...plan.outputs.map(({ origin }) => origin.buffer)]) {
    if (!buffers.includes(extra) && extra.scope === 'batch') buffers.push(extra);
  }
  for (const extra of [
    ...plan.allTargets,
    ...plan.heads.map(({ sampleScale }) => sampleScale),
    plan.step,
    plan.hyper,
    ...(plan.classWeights === undefined ? [] : [plan.classWeights]),
    ...plan.inputs.map(({ matrices }) => matrices),
  ]) {
    if (!buffers.includes(extra)) buffers.push(extra);
  }
  const { batchSize, shardSize } = plan.options;
  const addresses = new Map<PlannedBuffer, number>();
  const layOut = (scope: PlannedBuffer['scope'], from: number, samples: number) => {
    let at = from;
    for (const buffer of buffers) {
      if (buffer.scope !== scope) continue;
      addresses.set(buffer, at + buffer.originBytes);
      at += bufferBytes(buffer, samples);
    }
    return at;
  };
  let end = layOut('program', base, batchSize);
  if (plan.options.mode === 'train') end = layOut('batch', end, batchSize);
  else end = placeInference(plan, phases, end, addresses);
  end = placePhases(phases.map(firstCalls), batchSize, end, addresses);
  layOut('shard', end, 0);
  const slotBase = end + plan.shardStrideBytes * plan.shards;
  const slotBytes = layOut('slot', 0, batchSize);
  const workerBase = slotBase + 2 * slotBytes;
  const workerBytes = placeScratch(shardCalls(phases), shardSize, addresses);
  const addressOf = (buffer: PlannedBuffer) =>
    buffer.scope === 'model' ? modelAddress(buffer) : addresses.get(buffer)!;
  const kernels: KernelSpec[] = [];
  const placed = phases.map(({ name, units }) => ({
    name,
    units: units.map(({ shard, calls }) => {
      const firstSample = Math.max(0, shard) * shardSize;
      const place = (operand: Operand) => placeOperand(operand, addressOf, shard, firstSample, plan);
      return {
        firstSample,
        samples: shard < 0 ? batchSize : Math.min(shardSize, batchSize - firstSample),
        calls: calls.map(
          ({ spec, operands }): PlacedCall => ({
            kernel: kernelIndex(kernels, spec),
            args: operands.map(place),
          }),
        ),
      };
    }),
  }));
  return {
    program: encodeProgram(kernels, placed),
    addressOf,
    slotBase,
    slotBytes,
    workerBase,
    workerBytes,
    transientBytes: (workers) => alignBytes(workerBase - base + workers * workerBytes),
  };
}

/** What losses leave for the main thread. */
function resultsOf({ heads }: Plan): readonly PlannedBuffer[] {
  return heads.flatMap(({ losses, correct, errors, regression, kept }) => [
    losses,
    correct,
    ...(regression ? [errors] : []),
    ...(kept === undefined ? [] : [kept.origin.buffer]),
  ]);
}

/** One large image's activations are shared by all workers; each lives until its last reader's phase. */
function placeInference(
  plan: Plan,
  phases: readonly PlannedPhase[],
  from: number,
  addresses: Map<PlannedBuffer, number>,
): number {
  const results = [...resultsOf(plan), ...plan.outputs.map(({ origin }) => origin.buffer)];
  const steps = phases.map(({ units }) => [...new Set(units.map(({ calls }) => calls))].flat());
  let end = placeBatch(steps, plan.options.batchSize, new Set(results), from, addresses);
  for (const buffer of results) {
    if (buffer.scope !== 'batch' || addresses.has(buffer)) continue;
    addresses.set(buffer, end + buffer.originBytes);
    end += bufferBytes(buffer, plan.options.batchSize);
  }
  return end;
}

function placeOperand(
  operand: Operand,
  addressOf: (buffer: PlannedBuffer) => number,
  shard: number,
  firstSample: number,
  plan: Plan,
): PlacedArgument {
  if (operand === 'count') return { tag: TAG.count, value: 0 };
  if (operand === 'firstSample') return { tag: TAG.absolute, value: firstSample };
  if (typeof operand === 'number') return { tag: TAG.absolute, value: operand | 0 };
  const { buffer, offsetBytes } = operand;
  const address = addressOf(buffer) + offsetBytes;
  switch (buffer.scope) {
    case 'unit':
      return { tag: TAG.worker, value: address };
    case 'slot':
      return { tag: TAG.slot, value: address + firstSample * buffer.sampleBytes };
    case 'batch':
    case 'phases':
      return { tag: TAG.absolute, value: address + firstSample * buffer.sampleBytes };
    case 'shard':
      return { tag: TAG.absolute, value: address + Math.max(0, shard) * plan.shardStrideBytes };
    default:
      return { tag: TAG.absolute, value: address };
  }
}

/** Equal specs share a kernel. */
function kernelIndex(kernels: KernelSpec[], spec: KernelSpec): number {
  const known = kernels.indexOf(spec);
  if (known >= 0) return known;
  const text = JSON.stringify(spec);
  const equal = kernels.findIndex((kernel) => kernel.kind === spec.kind && JSON.stringify(kernel) === text);
  return equal >= 0 ? equal : kernels.push(spec) - 1;
}

function isRef(operand: Operand): operand is Exclude<Operand, number | string> {
  return typeof operand === 'object';
}

/** The calls of one shard, in the order in which they run. */
function shardCalls(phases: readonly PlannedPhase[]): readonly PlannedCall[] {
  return phases.flatMap(({ units }) =>
    units.filter(({ shard }) => shard === 0).flatMap(({ calls }) => calls),
  );
}

/** A phase's calls for liveness: its units differ in their shards alone, or are few. */
function firstCalls({ units }: PlannedPhase): readonly PlannedCall[] {
  return units.flatMap(({ shard, calls }) => (shard > 0 ? [] : calls));
}

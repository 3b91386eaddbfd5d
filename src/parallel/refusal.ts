/** The error for a program that does not fit into memory: what it needs, what there is, and what would fit. */
import { MemoryError } from '../errors.ts';
import { buffersOf, placeProgram } from '../model/place.ts';
import type { Plan } from '../model/plan.ts';
import { type Arena, formatBytes } from './arena.ts';

/** What an attempt to open a program was about. */
export interface Attempt {
  readonly arena: Arena;
  readonly threads: number;
  /** The plan for a number of samples; for its own without one. */
  makePlan(batchSize?: number): Plan;
}

/** Bytes of a program with all that the model has already. */
interface Need {
  readonly model: number;
  readonly step: number;
}

/** The arena's refusal, told in the user's terms. */
export function explainRefusal(error: MemoryError, { arena, threads, makePlan }: Attempt): MemoryError {
  const plan = makePlan();
  const { batchSize, mode } = plan.options;
  const need = needOf(plan, arena, threads);
  const what = mode === 'train' ? 'a training step' : mode === 'evaluate' ? 'evaluation' : 'prediction';
  const parts = `${formatBytes(need.model)} for the model, ${formatBytes(need.step)} for ${what}`;
  const setting = `batchSize ${batchSize}, ${count(threads, 'thread')}`;
  return new MemoryError(
    {
      ...error.details,
      argument: 'memory',
      received: `${formatBytes(need.model + need.step)}: ${parts} (${setting})${refusedBy(error)}`,
      hint: advice(plan, need, { arena, threads, makePlan }),
    },
    { cause: error },
  );
}

function refusedBy({ cause }: MemoryError): string {
  return cause instanceof Error ? `; the system says: ${cause.message}` : '';
}

/** The largest smaller batch, by halves, and the most threads that would fit. */
function advice(plan: Plan, need: Need, { arena, threads, makePlan }: Attempt): string {
  const limit = arena.limit().bytes;
  const fits = ({ model, step }: Need) => model + step <= Math.min(limit, need.model + need.step - 1);
  const sizes: string[] = [];
  for (let size = plan.options.batchSize >> 1; size >= 1 && need.model < limit; size >>= 1) {
    const smaller = needOf(makePlan(size), arena, threads);
    if (!fits(smaller)) continue;
    sizes.push(`batchSize ${size} takes ${formatBytes(smaller.model + smaller.step)}`);
    break;
  }
  for (let fewer = threads >> 1; fewer >= 1; fewer >>= 1) {
    const smaller = needOf(plan, arena, fewer);
    if (!fits(smaller)) continue;
    sizes.push(
      `${count(fewer, 'thread')} ${fewer === 1 ? 'takes' : 'take'} ${formatBytes(smaller.model + smaller.step)}`,
    );
    break;
  }
  if (sizes.length > 0) return sizes.join('; ');
  const least = needOf(makePlan(1), arena, 1);
  const lone = `one sample on one thread takes ${formatBytes(least.model + least.step)}`;
  return fits(least)
    ? lone
    : `${lone}: use smaller images, fewer filters or an optimizer with less state, or close other models`;
}

function needOf(plan: Plan, arena: Arena, threads: number): Need {
  const phases = [plan.prepare, ...plan.phases];
  const { end, addressOf } = arena.layOut(buffersOf(phases));
  return { model: end, step: placeProgram(plan, phases, addressOf, end).transientBytes(threads) };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Moving averages of weights, as they lie in memory beside them. */
import { AVERAGE } from '../model/contracts.ts';
import { slotBuffer } from '../model/update.ts';
import type { Runner } from '../parallel/runner.ts';

/** Lets parameters and their averages change places. */
export function exchangeAverages(runner: Runner, names: readonly string[]): void {
  for (const name of names) {
    const { parameter, average } = pairOf(runner, name);
    const kept = parameter.slice();
    parameter.set(average);
    average.set(kept);
  }
  runner.weightsChanged();
}

/** Makes the parameters as they are the averages. */
export function restartAverages(runner: Runner, names: readonly string[]): void {
  for (const name of names) {
    const { parameter, average } = pairOf(runner, name);
    average.set(parameter);
  }
}

function pairOf({ arena }: Runner, name: string) {
  const average = arena.floats(slotBuffer(name, AVERAGE, 0).name);
  return { parameter: arena.floats(`parameter/${name}`), average };
}

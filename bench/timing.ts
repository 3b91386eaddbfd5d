/** Times functions of this process with tinybench: several in turn, several rounds, the median of all. */
import { Bench } from 'tinybench';
import { median, scatter } from './statistics.ts';

/** How long to measure. */
export interface Effort {
  /** Milliseconds a task and round. */
  readonly milliseconds: number;
  /** All tasks run in turn so many times: what changes the machine's pace meets all of them. */
  readonly rounds: number;
}

export interface Timing {
  /** Median of the rounds' medians of a call. */
  readonly seconds: number;
  /** How far the rounds scatter: half the distance from the slowest to the fastest, over the median. */
  readonly scatter: number;
}

/** Times each task, in the order given. The tasks' results are ignored; an error ends it. */
export function timeTasks(tasks: Readonly<Record<string, () => void>>, effort: Effort): Map<string, Timing> {
  const rounds = new Map<string, number[]>(Object.keys(tasks).map((name) => [name, []]));
  for (let round = 0; round < effort.rounds; round++) {
    const bench = new Bench({
      time: effort.milliseconds,
      iterations: 5,
      warmupTime: effort.milliseconds / 4,
      warmupIterations: 2,
      throws: true,
    });
    for (const [name, run] of Object.entries(tasks)) bench.add(name, () => run());
    bench.runSync();
    for (const { name, result } of bench.tasks) {
      if (result.state === 'completed') rounds.get(name)!.push(result.latency.p50 / 1000);
    }
  }
  return new Map(
    [...rounds].map(([name, seconds]) => [name, { seconds: median(seconds), scatter: scatter(seconds) }]),
  );
}

/**
 * A process of its own for tests: trains the small model with the faults of its first argument (JSON), says how that
 * ended, and leaves everything open: it must come to its end by itself.
 */
import { faultyEngine } from './faults.ts';
import { smallData, smallModel } from './small-model.ts';

const faults = JSON.parse(process.argv[2]!);
const engine = faultyEngine({ threads: 2, engine: 'scalar' }, faults);
try {
  const { end } = await smallModel().fit(smallData(24), { batchSize: 8, engine });
  console.log(end);
} catch (error) {
  console.log((error as Error).name);
}

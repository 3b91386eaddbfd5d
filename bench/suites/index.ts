/** All suites in the order they run: adding one is a file beside this and a line here. */
import type { Suite } from '../suite.ts';
import { convolution } from './convolution.ts';
import { inference } from './inference.ts';
import { kernels } from './kernels.ts';
import { micro } from './micro.ts';
import { networks } from './networks.ts';
import { step } from './step.ts';
import { training } from './training.ts';

// biome-ignore lint/suspicious/noExplicitAny: each suite has a result of its own.
export const suites: readonly Suite<any>[] = [
  micro,
  convolution,
  kernels,
  step,
  training,
  inference,
  networks,
];

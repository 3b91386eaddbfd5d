/** What both forms of GoogLeNet share: the columns of the paper's table 1, and where the modules are pooled. */
import type { SymbolicTensor } from '../layers/symbolic.ts';
import type { InceptionOptions } from './inception.ts';

/** #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj of the paper's table 1. */
const COLUMNS = {
  '3a': [64, 96, 128, 16, 32, 32],
  '3b': [128, 128, 192, 32, 96, 64],
  '4a': [192, 96, 208, 16, 48, 64],
  '4b': [160, 112, 224, 24, 64, 64],
  '4c': [128, 128, 256, 24, 64, 64],
  '4d': [112, 144, 288, 32, 64, 64],
  '4e': [256, 160, 320, 32, 128, 128],
  '5a': [256, 160, 320, 32, 128, 128],
  '5b': [384, 192, 384, 48, 128, 128],
} as const;

export interface GoogLeNetOptions {
  /** Default 1000. */
  readonly classes?: number;
  /** What the classifiers end with; default 'softmax'. 'linear' returns their logits. */
  readonly classifierActivation?: 'softmax' | 'linear';
  /** [H, W, C], with auxiliary heads of at least 80 x 80; default [224, 224, 3]. */
  readonly inputShape?: readonly [number, number, number];
  /** Filters of the first convolution; all others keep their proportion to it. Default 64, the paper's. */
  readonly filters?: number;
  /**
   * Whether the two classifiers in the middle are there, which help to train: outputs `auxiliary1` and `auxiliary2`
   * behind `main`. Default true.
   */
  readonly auxiliaryHeads?: boolean;
}

/** A GoogLeNet for `functional({ ...network, seed })`: outputs `main` and, with the heads, `auxiliary1` and `auxiliary2`. */
export interface GoogLeNet {
  readonly inputs: SymbolicTensor;
  readonly outputs: Readonly<Record<string, SymbolicTensor>>;
}

/** The options of `fit` by which the paper weighs the three losses. */
export const googLeNetLossWeights = { main: 1, auxiliary1: 0.3, auxiliary2: 0.3 } as const;

function scaledAll<T extends Readonly<Record<string, number>>>(
  filters: T,
  scaled: (filters: number) => number,
): T {
  return Object.fromEntries(Object.entries(filters).map(([key, count]) => [key, scaled(count)])) as T;
}

/** The modules 3a to 5b: calls `module` for each, `halve` after 3b and 4e, `hear` with the outputs of 4a and 4d. */
export function inceptionModules(
  stem: SymbolicTensor,
  scaled: (filters: number) => number,
  parts: {
    readonly module: (x: SymbolicTensor, options: InceptionOptions) => SymbolicTensor;
    readonly halve: (x: SymbolicTensor, name: string) => SymbolicTensor;
    readonly hear: (x: SymbolicTensor, name: string) => void;
  },
): SymbolicTensor {
  let x = stem;
  for (const [name, columns] of Object.entries(COLUMNS)) {
    const [conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProjection] = columns;
    const filters = { conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProjection };
    x = parts.module(x, { name, ...scaledAll(filters, scaled) });
    if (name === '3b' || name === '4e') x = parts.halve(x, `pool${name[0]}`);
    if (name === '4a' || name === '4d') parts.hear(x, name === '4a' ? 'auxiliary1' : 'auxiliary2');
  }
  return x;
}

/** What the twins of optimizers share: loads, steps and stores over ranges of equal length, eight elements at a time. */
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { emitRun, loadPart, storePart } from './run.ts';

/** The vectors of a part, by the names of the buffers and of what is worked out on the way. */
export type Vectors<N extends string> = Readonly<Record<N, Local>>;

/**
 * Emits the loop over parameters: all `loaded` buffers are read, `steps` are emitted one after the other, each for both
 * vectors of a pair, and the `stored` buffers are written. `others` are more vectors to work with.
 */
export function emitOptimizer<N extends string>(
  b: FunctionBuilder,
  names: { readonly loaded: readonly N[]; readonly stored: readonly N[]; readonly others?: readonly N[] },
  steps: readonly ((vectors: Vectors<N>) => void)[],
): void {
  const { loaded, stored, others = [] } = names;
  const values = [0, 1].map(
    () =>
      Object.fromEntries([...loaded, ...others].map((name) => [name, b.local('v128', name)])) as Vectors<N>,
  );
  const pointer = (name: N) => b.param(name);
  emitRun(b, b.param('length'), loaded.map(pointer), (parts) => {
    for (const name of loaded) {
      parts.forEach((part, i) => {
        loadPart(b, pointer(name), part).set(values[i]![name]);
      });
    }
    for (const step of steps) for (const [i] of parts.entries()) step(values[i]!);
    for (const name of stored) {
      for (const [i, part] of [...parts.entries()].reverse())
        storePart(b, pointer(name), part, values[i]![name]);
    }
  });
}

/** Decoupled weight decay: param = param - (param * lambda) * lr; nothing where lambda is 0. */
export function decayStep(
  b: FunctionBuilder,
  weightDecay: number,
  learningRate: Local,
): ((vectors: Vectors<'param'>) => void)[] {
  if (weightDecay === 0) return [];
  return [
    ({ param }) => {
      b.get(param).get(param).f32x4(weightDecay).op('f32x4.mul');
      b.get(learningRate).op('f32x4.mul').op('f32x4.sub').set(param);
    },
  ];
}

/** Pushes kept * old + added * value, both factors constants. */
export function pushBlend(
  b: FunctionBuilder,
  [kept, old]: readonly [number, Local],
  [added, value]: readonly [number, Local],
): FunctionBuilder {
  b.f32x4(kept).get(old).op('f32x4.mul');
  return b.f32x4(added).get(value).op('f32x4.mul').op('f32x4.add');
}

/** A vector local with the step's first number (hyper[0]) in all lanes. */
export function learningRateLocal(b: FunctionBuilder): Local {
  const learningRate = b.local('v128', 'learningRate');
  b.get(b.param('hyper')).memory('v128.load32_splat').set(learningRate);
  return learningRate;
}

/** One step of SGD on a whole batch against PyTorch's: memory, loss, and the change of every parameter. */
import { type Model, type ModelOptions, sgd, torchModules } from '../../src/index.ts';
import { fromTorchLayout } from '../../src/io/torch-state.ts';
import { formatBytes } from '../../src/parallel/arena.ts';
import { distance } from './compare.ts';
import type { Expected } from './expected.ts';

type Numerics = NonNullable<ModelOptions['numerics']>;

/**
 * Errors here are not those of sums alone: where two pixels of a pooling window, or a ReLU's argument and 0, are closer
 * than rounding, the gradient takes another way, and one such pixel outweighs all roundings of its layer.
 */
const MOST_TIMES_TORCH = 3;

/** Prints the comparison; returns whether all is as close as it must be with 'direct' and 'accurate'. */
export async function compareStep(
  modelOf: (numerics: Numerics) => Promise<Model>,
  expected: Expected,
  learningRate: number,
): Promise<boolean> {
  const images = (await expected.read('images')).data as Float32Array;
  const targets = await expected.readIntegers('labels');
  const [loss64] = (await expected.read('loss64')).data;
  const [loss32] = (await expected.read('loss32')).data;
  let isClose = true;
  for (const numerics of ['direct', 'accurate', 'fast'] as const) {
    await using model = await modelOf(numerics);
    const optimizer = sgd({ learningRate });
    const { totalBytes } = model.memory({ batchSize: targets.length, optimizer });
    const before = model.getWeights();
    const { loss } = await model.trainOnBatch({ inputs: images, targets }, { optimizer });
    const after = model.getWeights();
    const errors = await changesOf(model, before, after, expected);
    const sorted = errors.sort((a, b) => b.times - a.times);
    const [worst] = sorted;
    const near = sorted.filter(({ times }) => times <= MOST_TIMES_TORCH).length;
    process.stdout.write(
      `${numerics}: ${formatBytes(totalBytes)} planned; loss ${loss}, float64 ${loss64}, PyTorch's float32 ${loss32}\n` +
        `  changes of ${errors.length} parameters: ${near} within ${MOST_TIMES_TORCH} times PyTorch's error, the median ` +
        `${sorted[sorted.length >> 1]!.times.toFixed(2)}, at most ${worst!.times.toFixed(2)} (${worst!.name})\n`,
    );
    isClose &&= numerics === 'fast' || worst!.times <= MOST_TIMES_TORCH;
  }
  return isClose;
}

/** Of each parameter, the error of its change over that of PyTorch's float32. */
async function changesOf(
  model: Model,
  before: ReturnType<Model['getWeights']>,
  after: ReturnType<Model['getWeights']>,
  expected: Expected,
): Promise<{ name: string; times: number }[]> {
  const found: { name: string; times: number }[] = [];
  for (const node of model.graph.nodes) {
    for (const { name: parameter, shape } of node.parameters) {
      const name = `${node.layerName}/${parameter}`;
      const module = `${torchModules.vgg16(node.layerName)}.${parameter}`;
      const change = async (key: string) =>
        fromTorchLayout(model.graph, node, shape, key, await expected.read(key));
      const truth = await change(`change64/${module}`);
      const torch = await change(`change32/${module}`);
      const ours = after[name]!.data.map((value, i) => value - before[name]!.data[i]!);
      found.push({ name, times: distance(ours, truth) / distance(torch, truth) });
    }
  }
  return found;
}

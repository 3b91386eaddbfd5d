/**
 * One step of SGD of VGG16 on a whole batch against PyTorch's: memory, loss, and gradient and change of every parameter.
 *
 * Each run, ours and PyTorch's in float32, is compared with float64 under the run's own decisions of ReLUs and pooling
 * windows (decisions.py): where float64 decides otherwise the gradient takes another way, and what differs then is no
 * rounding error. How many decisions these are is printed, and each must be so close to a tie that rounding has turned it.
 */
import path from 'node:path';
import { type Model, type ModelOptions, sgd, torchModules } from '../../src/index.ts';
import { writeSafetensors } from '../../src/io/safetensors-file.ts';
import { fromTorchLayout } from '../../src/io/torch-state.ts';
import { formatBytes } from '../../src/parallel/arena.ts';
import { distance } from './compare.ts';
import { type Expected, openExpected } from './expected.ts';

type Numerics = NonNullable<ModelOptions['numerics']>;
type Weights = ReturnType<Model['getWeights']>;

const MOST_TIMES_TORCH = 3;
/** Changes are rounded to the parameters' own precision; only gradients show more, and of these PyTorch's equal: */
const PEER: Numerics = 'accurate';

export interface StepSource {
  /** make.py's folder. */
  readonly folder: string;
  readonly learningRate: number;
  modelOf(numerics: Numerics): Promise<Model>;
  /** Runs decide.py on the folder. */
  decide(): void;
}

/**
 * Prints the comparison; returns whether all is as close as it must be: losses and changes of parameters, gradients with
 * 'accurate', and decisions.
 */
export async function compareStep(source: StepSource, expected: Expected): Promise<boolean> {
  const [loss64] = (await expected.read('loss64')).data;
  const [loss32] = (await expected.read('loss')).data;
  const torch = await decisionsOf(expected, 'decided/');
  process.stdout.write(`loss of float64 ${loss64}, of PyTorch's float32 ${loss32}\n  ${torch.text}\n`);
  let isClose = true;
  for (const numerics of ['direct', 'accurate', 'fast'] as const) {
    const isNear = await compareNumerics(source, expected, numerics);
    isClose &&= isNear;
  }
  return isClose;
}

async function compareNumerics(source: StepSource, expected: Expected, numerics: Numerics): Promise<boolean> {
  const step = await stepOf(source, expected, numerics);
  const { graph } = step;
  const descend = (gradient: number) => -source.learningRate * gradient;
  source.decide();
  const decided = await openExpected(path.join(source.folder, 'decided.safetensors'));
  try {
    const changes: Times[] = [];
    const gradients: Times[] = [];
    for (const node of graph.nodes) {
      for (const { name: parameter, shape } of node.parameters) {
        const name = `${node.layerName}/${parameter}`;
        const key = `${torchModules.vgg16(node.layerName)}.${parameter}`;
        const read = async (of: Expected, what: string) =>
          fromTorchLayout(graph, node, shape, key, await of.read(`${what}/${key}`));
        const truth = await read(decided, 'gradient');
        const torchTruth = await read(expected, 'decided/gradient');
        const torchError = distance(await read(expected, 'gradient'), torchTruth);
        gradients.push({ name, times: distance(step.gradients[name]!.data, truth) / torchError });
        const change = step.after[name]!.data.map((value, i) => value - step.before[name]!.data[i]!);
        const torchChange = distance(await read(expected, 'change'), torchTruth.map(descend));
        changes.push({ name, times: distance(change, truth.map(descend)) / torchChange });
      }
    }
    const torchErrors = (await expected.read('decided/error')).data;
    const own = (await decided.read('error')).data;
    const outputs = Array.from(own, (error, i) => ({
      name: `ReLU ${i + 1}`,
      times: error / torchErrors[i]!,
    }));
    const decisions = await decisionsOf(decided, '');
    process.stdout.write(
      `  ${decisions.text}\n` +
        `  outputs of ${outputs.length} ReLUs: ${summaryOf(outputs)}\n` +
        `  gradients of ${gradients.length} parameters: ${summaryOf(gradients)}\n` +
        `  changes of ${changes.length} parameters: ${summaryOf(changes)}\n`,
    );
    const limited = numerics === PEER ? [...changes, ...gradients] : changes;
    const isNear = limited.every(({ times }) => times <= MOST_TIMES_TORCH);
    return isNear && decisions.areTurnedByRounding && (await isLossNear(step.loss, expected));
  } finally {
    await decided.close();
  }
}

/** Runs the step, and leaves what its ReLUs return in the folder. */
async function stepOf({ folder, learningRate, modelOf }: StepSource, expected: Expected, numerics: Numerics) {
  const inputs = (await expected.read('images')).data as Float32Array;
  const targets = await expected.readIntegers('labels');
  await using model = await modelOf(numerics);
  const { graph } = model;
  const layers = graph.nodes.filter(({ parameters }) => parameters.length > 0).map(({ owner }) => owner);
  const batchSize = targets.length;
  const outputs = await model.activations(inputs, layers.slice(0, -1), { batchSize });
  // Their order in the file is that of their names.
  const tensors = Object.values(outputs).map((output, i) => ({
    name: String(i).padStart(2, '0'),
    ...output,
  }));
  await writeSafetensors('against:torch', path.join(folder, 'outputs.safetensors'), new Map(), tensors);
  const optimizer = sgd({ learningRate });
  const { totalBytes } = model.memory({ batchSize, optimizer });
  const { gradients } = await model.gradientsOnBatch({ inputs, targets });
  const before: Weights = model.getWeights();
  const { loss } = await model.trainOnBatch({ inputs, targets }, { optimizer });
  const after: Weights = model.getWeights();
  process.stdout.write(`${numerics}: ${formatBytes(totalBytes)} planned; loss ${loss}\n`);
  return { loss, before, after, gradients, graph };
}

/** PyTorch's loss is a float32, which may happen to be next to float64's: half its spacing is an error, too. */
async function isLossNear(loss: number, expected: Expected): Promise<boolean> {
  const loss64 = (await expected.read('loss64')).data[0]!;
  const error = Math.abs((await expected.read('loss')).data[0]! - loss64);
  return Math.abs(loss - loss64) <= MOST_TIMES_TORCH * Math.max(error, 2 ** -24 * loss64);
}

/** Of something, its error over that of PyTorch's float32. */
interface Times {
  readonly name: string;
  readonly times: number;
}

function summaryOf(errors: readonly Times[]): string {
  const sorted = errors.toSorted((a, b) => b.times - a.times);
  const [worst] = sorted;
  const near = sorted.filter(({ times }) => times <= MOST_TIMES_TORCH).length;
  return (
    `${near} within ${MOST_TIMES_TORCH} times PyTorch's error, the median ` +
    `${sorted[sorted.length >> 1]!.times.toFixed(2)}, at most ${worst!.times.toFixed(2)} (${worst!.name})`
  );
}

/** The decisions that float64 takes otherwise: as text, and whether all are as near to a tie as rounding errors are. */
async function decisionsOf(
  file: Expected,
  prefix: string,
): Promise<{ text: string; areTurnedByRounding: boolean }> {
  const kinds = [
    ['relu', 'ReLUs'],
    ['pool', 'windows'],
  ] as const;
  const texts: string[] = [];
  let areTurnedByRounding = true;
  for (const [kind, label] of kinds) {
    const number = async (name: string) => (await file.read(`${prefix}${kind}/${name}`)).data[0]!;
    const [apart, gap] = [await number('apart'), await number('gap')];
    const closeness =
      apart > 0 ? ` (at most ${gap.toFixed(2)} of the largest rounding error from a tie)` : '';
    texts.push(`${apart} of ${await number('count')} ${label}${closeness}`);
    areTurnedByRounding &&= gap <= 1;
  }
  return { text: `decides otherwise than float64: ${texts.join(', ')}`, areTurnedByRounding };
}

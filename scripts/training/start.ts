/** `--from`: the trained model that a run begins with, its head made anew where the classes are others. */
import path from 'node:path';
import { ConfigError, FaltungError } from '../../src/errors.ts';
import {
  copyModel,
  load,
  type Model,
  type Normalization,
  type Resize,
  replaceHead,
  type Shape,
} from '../../src/index.ts';
import { listCheckpoints } from '../../src/io/checkpoint-folder.ts';
import { modelFileOf } from '../models/open-model.ts';
import type { TrainingOptions } from './options.ts';
import type { Job } from './run.ts';
import { runFiles } from './run-folder.ts';

/** A trained classifier of images. */
export interface Start {
  readonly model: Model;
  readonly inputShape: readonly [height: number, width: number, channels: 1 | 3];
  /** What became of the pixels it learned from; undefined where its file does not say. */
  readonly normalization: Normalization | undefined;
  readonly resize: Resize;
}

/**
 * The model of `--from`; undefined without it. A run that goes on has it in its checkpoints: the file may be gone.
 * Throws what `load` throws, and ConfigError unless it takes one image (of this shape, where there is one) and gives an
 * output a class.
 */
export async function openStart(
  command: string,
  options: TrainingOptions,
  wanted?: Shape,
): Promise<Start | undefined> {
  const { from } = options;
  if (from === undefined) return undefined;
  const model = (await modelOfRun(command, options)) ?? (await load(modelFileOf(from)));
  const { inputShape, outputShape, graph, trainedOn } = model;
  const image = wanted
    ? inputShape.join() === wanted.join()
    : inputShape.length === 3 && (inputShape[2] === 1 || inputShape[2] === 3);
  if (!image || graph.inputs.length !== 1 || outputShape.length !== 1) {
    const shapes = wanted ? `[${wanted.join(', ')}]` : '[H, W, 3] or [H, W, 1]';
    throw new ConfigError({
      operation: command,
      argument: '--from',
      expected: `a model that takes an image ${shapes} and gives an output a class`,
      received: `${from}, from [${inputShape.join(', ')}] to [${outputShape.join(', ')}]`,
    });
  }
  return {
    model,
    inputShape: inputShape as unknown as Start['inputShape'],
    normalization: trainedOn && (trainedOn.normalization ?? { kind: 'none' }),
    resize: trainedOn?.resize ?? 'stretch',
  };
}

/** The model of the newest checkpoint that can be read, of a run that goes on. */
async function modelOfRun(command: string, { resume, out }: TrainingOptions): Promise<Model | undefined> {
  if (resume === undefined) return undefined;
  for (const { file } of await listCheckpoints(command, runFiles(out).checkpoints)) {
    try {
      return await load(file);
    } catch (error) {
      // `fit` will put a damaged one aside and say so.
      if (!(error instanceof FaltungError)) throw error;
    }
  }
  return undefined;
}

/** The model to train: with the weights of `start`, its head too where the classes are the same. Closes `start`. */
export async function beginWith(
  command: string,
  { model: base }: Start,
  classNames: readonly string[],
  options: TrainingOptions,
): Promise<Pick<Job, 'model' | 'modelName' | 'startText'>> {
  const { from, freeze, seed, numerics, resume } = options;
  const known = base.trainedOn?.classNames;
  const classes = classNames.length;
  const same =
    base.outputShape[0] === classes && (known ?? classNames).every((name, i) => name === classNames[i]);
  const model = same ? copyModel(base, { seed, numerics }) : replaceHead(base, { classes, seed, numerics });
  await base.close();
  // Whatever was frozen when the file was written.
  model.unfreeze('');
  if (freeze.length > 0) model.freeze(...freeze);
  const learning = model.graph.nodes.filter(({ parameters }) => parameters.length > 0);
  const frozen = learning.filter(({ owner }) => freeze.some((prefix) => owner.startsWith(prefix)));
  if (frozen.length === learning.length) {
    throw new ConfigError({
      operation: command,
      argument: '--freeze',
      expected: 'at least one layer with weights that is left to train',
      received: freeze.join(','),
    });
  }
  const head = learning.at(-1)!.layerName;
  const parts = [
    same ? 'the weights of all layers' : `${head} anew for ${classes} classes`,
    ...(frozen.length > 0 ? [`frozen: ${[...new Set(frozen.map(({ owner }) => owner))].join(', ')}`] : []),
  ];
  // A run that goes on begins with its checkpoint.
  const startText = resume === undefined ? `${from}: ${parts.join('; ')}` : '';
  return { model, modelName: path.basename(path.resolve(from!)), startText };
}

/** For result.json. */
export function startFacts({ from, freeze }: TrainingOptions) {
  return from === undefined ? {} : { from, freeze };
}

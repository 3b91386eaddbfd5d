/** Opens a trained model for a command: a file, or the folder of a run. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../src/errors.ts';
import { load, type Model, type Normalization, type Resize } from '../../src/index.ts';
import { complain } from '../command.ts';

/** A classifier of images, and what is known of its data. */
export interface Classifier {
  readonly model: Model;
  readonly file: string;
  readonly inputShape: readonly [height: number, width: number, channels: 1 | 3];
  readonly classes: number;
  /** Where the file has no names: the numbers. */
  readonly classNames: readonly string[];
  readonly named: boolean;
  readonly normalization: Normalization;
  readonly resize: Resize;
}

/** What `--model` says. Throws ConfigError where it says nothing. */
export function namedModel(command: string, place: string | undefined): string {
  if (place !== undefined && place !== '') return place;
  const expected = "a file that training wrote (model.safetensors), or a run's folder";
  throw new ConfigError({ operation: command, argument: '--model', expected, received: 'none' });
}

/**
 * Opens the model of `--model`. Throws ConfigError unless it takes one image [H, W, 3] or [H, W, 1] and gives an output
 * a class, and what `load` throws.
 */
export async function openClassifier(command: string, place: string): Promise<Classifier> {
  const file = modelFileOf(place);
  const model = await load(file);
  const { inputShape, outputShape } = model;
  const [, , channels] = inputShape;
  const [classes = 0, ...others] = outputShape;
  const answers = others.length === 0 && classes > 1;
  const classifies = model.graph.inputs.length === 1 && answers && inputShape.length === 3;
  if (!classifies || (channels !== 1 && channels !== 3)) {
    await model.close();
    throw new ConfigError({
      operation: command,
      argument: '--model',
      expected: 'a model that takes an image [H, W, 3] or [H, W, 1] and gives an output a class',
      received: `${file}, from [${inputShape.join(', ')}] to [${outputShape.join(', ')}]`,
    });
  }
  const { trainedOn } = model;
  if (trainedOn === undefined) {
    complain(
      `${file} does not say how its images were normalised, nor what its classes are called: pixels are taken as they are.`,
    );
  }
  return {
    model,
    file,
    inputShape: inputShape as unknown as Classifier['inputShape'],
    classes,
    classNames: trainedOn?.classNames ?? Array.from({ length: classes }, (_, i) => String(i)),
    named: trainedOn?.classNames !== undefined,
    normalization: trainedOn?.normalization ?? { kind: 'none' },
    resize: trainedOn?.resize ?? 'stretch',
  };
}

/** model.safetensors of a run's folder, or its best model where training has not ended; a file as it is. */
export function modelFileOf(place: string): string {
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory()) return place;
  const [model, best] = ['model.safetensors', 'best.safetensors'].map((name) => path.join(place, name));
  return existsSync(model!) || !existsSync(best!) ? model! : best!;
}

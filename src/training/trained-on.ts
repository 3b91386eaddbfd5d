/** What the users of a trained model must know of the data that it learned from: kept with it, and in its file. */
import { checkNormalization, type Dataset, type Normalization, type Resize } from '../data/dataset.ts';
import { ConfigError } from '../errors.ts';
import { isJsonObject } from '../io/json-value.ts';
import type { Graph } from '../model/graph.ts';

/** Plain data. `fit` takes it from the data set. */
export interface TrainedOn {
  /** The classes' names by index. */
  readonly classNames?: readonly string[];
  /** What becomes of raw pixels before the first layer. */
  readonly normalization?: Normalization;
  /** How images of other sizes are brought to the model's. */
  readonly resize?: Resize;
}

const MEMBERS = ['classNames', 'normalization', 'resize'];
/** Longer ones are no classes' names. */
const MAX_LETTERS = 1000;

/** What a data set says of itself; undefined where that is nothing. */
export function trainedOnOf({ classNames, normalization, resize }: Dataset): TrainedOn | undefined {
  const found = {
    ...(classNames && { classNames: [...classNames] }),
    ...(normalization && { normalization }),
    ...(resize && { resize }),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

/** Returns what makes sense for a model. Throws ConfigError or ShapeError for all else, whatever it is. */
export function checkTrainedOn(operation: string, value: unknown, graph: Graph): TrainedOn {
  const refuse = (argument: string, expected: string, received: unknown): never => {
    const text = (JSON.stringify(received) ?? 'undefined').slice(0, 200);
    throw new ConfigError({ operation, argument, expected, received: text });
  };
  if (!isJsonObject(value)) return refuse('value', 'an object', value);
  const strange = Object.keys(value).find((name) => !MEMBERS.includes(name));
  if (strange !== undefined) refuse('value', `members ${MEMBERS.join(', ')}`, strange);
  const { classNames, normalization, resize } = value;
  if (classNames !== undefined) {
    const output = graph.tensors[graph.output]!;
    const named =
      Array.isArray(classNames) &&
      classNames.every((name) => typeof name === 'string' && name.length <= MAX_LETTERS);
    if (!named) refuse('classNames', 'names of classes', classNames);
    const count = (classNames as readonly string[]).length;
    if (count !== output.at(-1)) {
      refuse('classNames', `a name for each of ${output.at(-1)} outputs`, count);
    }
  }
  if (resize !== undefined && !['stretch', 'crop', 'pad'].includes(resize as string)) {
    refuse('resize', "'stretch', 'crop' or 'pad'", resize);
  }
  if (normalization !== undefined) {
    const { kind, mean, std, ...others } = isJsonObject(normalization) ? normalization : {};
    const lists = kind === 'standardize' ? Array.isArray(mean) && Array.isArray(std) : mean === std;
    if (Object.keys(others).length > 0 || !lists) refuse('normalization', 'a normalisation', normalization);
    const channels = graph.tensors[graph.input]!.at(-1)!;
    checkNormalization(operation, normalization as unknown as Normalization, channels);
  }
  return value as TrainedOn;
}

/** What the users of a trained model must know of the data that it learned from: kept with it, and in its file. */
import { checkNormalization, type Dataset, type Normalization, type Resize } from '../data/dataset.ts';
import { isNamed, type NamedDataset } from '../data/named-dataset.ts';
import { ConfigError, formatValue } from '../errors.ts';
import { isJsonObject } from '../io/json-value.ts';
import type { Graph } from '../model/graph.ts';

/** Plain data. `fit` takes it from the data set. */
export interface TrainedOn {
  /** The classes' names by index; two, no and yes, where the model has one output. */
  readonly classNames?: readonly string[];
  /** What becomes of raw pixels before the first layer. */
  readonly normalization?: Normalization;
  /** The same for each input by name, where there are several. */
  readonly normalizations?: Readonly<Record<string, Normalization>>;
  /** How images of other sizes are brought to the model's. */
  readonly resize?: Resize;
}

const MEMBERS = ['classNames', 'normalization', 'normalizations', 'resize'];
/** Longer ones are no classes' names. */
const MAX_LETTERS = 1000;

/** What a data set says of itself; undefined where that is nothing. */
export function trainedOnOf(dataset: Dataset | NamedDataset): TrainedOn | undefined {
  if (isNamed(dataset)) {
    const known = Object.entries(dataset.inputs).flatMap(([name, { normalization }]) =>
      normalization === undefined ? [] : [[name, normalization] as const],
    );
    return known.length === 0 ? undefined : { normalizations: Object.fromEntries(known) };
  }
  const { classNames, normalization, resize } = dataset;
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
    const text = formatValue(received).slice(0, 200);
    throw new ConfigError({ operation, argument, expected, received: text });
  };
  if (!isJsonObject(value)) return refuse('value', 'an object', value);
  const strange = Object.keys(value).find((name) => !MEMBERS.includes(name));
  if (strange !== undefined) refuse('value', `members ${MEMBERS.join(', ')}`, strange);
  const { classNames, normalization, normalizations, resize } = value;
  if (classNames !== undefined) {
    const output = graph.tensors[graph.output]!;
    const named =
      Array.isArray(classNames) &&
      classNames.every((name) => typeof name === 'string' && name.length <= MAX_LETTERS);
    if (!named) refuse('classNames', 'names of classes', classNames);
    const count = (classNames as readonly string[]).length;
    const channels = output.at(-1)!;
    // One output tells two classes apart: no and yes.
    if (count !== channels && (channels !== 1 || count > 2)) {
      refuse(
        'classNames',
        channels === 1 ? 'at most 2 names' : `a name for each of ${channels} outputs`,
        count,
      );
    }
  }
  if (resize !== undefined && !['stretch', 'crop', 'pad'].includes(resize as string)) {
    refuse('resize', "'stretch', 'crop' or 'pad'", resize);
  }
  const check = (given: unknown, input: number, argument: string) => {
    const { kind, mean, std, ...others } = isJsonObject(given) ? given : {};
    const lists = kind === 'standardize' ? Array.isArray(mean) && Array.isArray(std) : mean === std;
    if (Object.keys(others).length > 0 || !lists) refuse(argument, 'a normalisation', given);
    const channels = graph.tensors[graph.inputs[input]!]!.at(-1)!;
    checkNormalization(operation, given as unknown as Normalization, channels, argument);
  };
  if (normalization !== undefined) check(normalization, 0, 'normalization');
  if (normalizations === undefined) return value as TrainedOn;
  if (!isJsonObject(normalizations)) return refuse('normalizations', 'an object', normalizations);
  for (const [name, given] of Object.entries(normalizations)) {
    const input = graph.inputNames.indexOf(name);
    if (input < 0) refuse('normalizations', `the names of inputs: ${graph.inputNames.join(', ')}`, name);
    check(given, input, `normalizations.${name}`);
  }
  return value as TrainedOn;
}

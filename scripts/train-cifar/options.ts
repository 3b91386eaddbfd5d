/** The command line of train:cifar: its options, their defaults and checks. */
import { choice, readArguments, text, wholeNumber } from '../arguments.ts';
import { TRAINING_HELP } from '../training/help.ts';
import {
  type Arguments,
  given,
  TRAINING_OPTIONS,
  type TrainingOptions,
  trainingArguments,
  trainingOptions,
} from '../training/options.ts';
import { checkResume } from '../training/resume.ts';

export const COMMAND = 'train:cifar';

const OPTIONS = { model: text, data: text, limit: text, normalization: text, ...TRAINING_OPTIONS } as const;

/** Networks for images of CIFAR-10's size, and the preset that each one is trained with. */
const USUAL_PRESETS = {
  cifarNotebook: 'notebook',
  cifarInception: 'fast',
  resNet20: 'residual',
  resNet56: 'residual',
  denseNet40: 'dense',
  denseNetBC40: 'dense',
  denseNetBC100: 'dense',
} as const;
type Network = keyof typeof USUAL_PRESETS;

/** The network of a name, in upper or lower case. Throws ConfigError. */
function networkOf(given: string | undefined): Network {
  const names = Object.keys(USUAL_PRESETS) as Network[];
  const known = names.find((name) => name.toLowerCase() === given?.toLowerCase());
  return choice(COMMAND, 'model', known ?? given, names) ?? 'cifarNotebook';
}

/** What the command was asked to do. */
export interface CifarOptions extends TrainingOptions {
  /** Unless there is `from`, whose network it is. */
  readonly model: Network;
  readonly data: string | undefined;
  readonly limit: number | undefined;
  readonly normalization: 'standardize' | 'notebook';
}

export const HELP = `Trains a network on CIFAR-10.

  npm run train:cifar -- [options]

Data and network
  --data DIR           folder with data_batch_1.bin and its like, or 'synthetic' for drawn images
                       (default: CIFAR10_DIR, data/, the cache of earlier downloads, a download)
  --limit N            at most N training images, and N validation and N test images
  --model NAME         'cifarNotebook' (default), 'cifarInception' (preset fast), 'resNet20', 'resNet56' (preset
                       residual), 'denseNet40', 'denseNetBC40' or 'denseNetBC100' (preset dense)
  --normalization X    'standardize' (default) or 'notebook' (L2 over the rows of an image)

${TRAINING_HELP}`;

/** The words of a command line, by option. Throws ConfigError. */
export function readWords(args: readonly string[]) {
  return readArguments(COMMAND, args, OPTIONS);
}

/** Reads the arguments after the script's name. Throws ConfigError that names the option. */
export function parseOptions(args: readonly string[], now: Date = new Date()): CifarOptions {
  const values = readWords(args);
  checkResume(COMMAND, values);
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-');
  const model = networkOf(values.model);
  return {
    model,
    data: values.data,
    limit: wholeNumber(COMMAND, 'limit', values.limit, 1),
    normalization:
      choice(COMMAND, 'normalization', values.normalization, ['standardize', 'notebook']) ?? 'standardize',
    ...trainingOptions(COMMAND, values, `runs/${stamp}-cifar`, USUAL_PRESETS[model]),
  };
}

/** What decides the run, by the options' names: what config.json stores and `parseOptions` reads. */
export function argumentsOf(options: CifarOptions): Arguments {
  const { data, limit, from } = options;
  const network = from === undefined ? { model: options.model, normalization: options.normalization } : {};
  return { ...given({ ...network, data, limit }), ...trainingArguments(options) };
}

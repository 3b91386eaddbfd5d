/** `npm run against:torch -- [NETWORK ...]`: networks with PyTorch's parameters, against PyTorch itself. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ConfigError, FaltungError } from '../src/errors.ts';
import {
  denseNet121,
  functional,
  googLeNetBN,
  type Model,
  type ModelOptions,
  readTorchState,
  resNet50,
  sequential,
  torchModules,
  vgg16,
  weightsFromTorch,
} from '../src/index.ts';
import { distance, largestFives } from './torch/compare.ts';
import { compareStep } from './torch/compare-step.ts';
import { type Expected, openExpected } from './torch/expected.ts';

const linear = { classifierActivation: 'linear' } as const;

/** The networks that definitions.py has, too, with their logits as outputs. */
const networks = {
  vgg16: (options: ModelOptions) => sequential({ inputShape: [224, 224, 3], ...options }, vgg16(linear)),
  googLeNetBN: (options: ModelOptions) =>
    functional({ ...googLeNetBN({ ...linear, auxiliaryHeads: false }), ...options }),
  denseNet121: (options: ModelOptions) => functional({ ...denseNet121(linear), ...options }),
  resNet50: (options: ModelOptions) => functional({ ...resNet50(linear), ...options }),
} as const;
type Name = keyof typeof networks;

/** The rule: an error against float64 of at most so many times that of PyTorch's float32. */
const MOST_TIMES_TORCH = 3;
/** Of the step of SGD. */
const LEARNING_RATE = 0.01;

const HELP = `npm run against:torch -- [NETWORK ...] [options]

Gives PyTorch's random parameters to networks and compares their outputs on random images 224x224 with PyTorch's: the
error against its float64, in units of the error of its own float32, and the five largest classes of each image. With
numerics 'direct' and 'accurate' the error must be at most ${MOST_TIMES_TORCH} times PyTorch's; 'fast' (F(4,3)) is shown beside them.

  NETWORK        ${Object.keys(networks).join(', ')}; default: all
  --batch N      images; default 2, with --step 8
  --step         instead: one step of SGD of vgg16. Each float32 is compared with float64 under its own decisions of
                 ReLUs and pooling windows; those that float64 takes otherwise are counted, and must be closer to a tie
                 than the largest rounding error. At most ${MOST_TIMES_TORCH} times PyTorch's error: changes of all parameters, and
                 with 'accurate' their gradients
  --seed N       of parameters and images; default 21
  --python FILE  a Python with PyTorch; default /usr/bin/python3
  --keep DIR     writes PyTorch's files there and leaves them, default: a temporary folder

Exit codes: 0 as close as that, 1 not, 2 wrong options.
`;

/** Runs a script of scripts/torch: make.py makes a network and PyTorch's results. */
function runPython(python: string, name: string, args: readonly string[]): void {
  const script = fileURLToPath(new URL(`torch/${name}`, import.meta.url));
  const { status, error } = spawnSync(python, [script, ...args], { stdio: 'inherit' });
  if (error === undefined && status === 0) return;
  throw new ConfigError({
    operation: 'against:torch',
    argument: '--python',
    expected: 'a Python that can import torch',
    received: `${python}: ${error?.message ?? `exit code ${status}`}`,
  });
}

/** The model with the parameters of the folder's state. */
async function modelOf(name: Name, folder: string, options: ModelOptions): Promise<Model> {
  const model = networks[name](options);
  const state = await readTorchState(path.join(folder, 'state.safetensors'));
  model.setWeights(weightsFromTorch(model.graph, state, torchModules[name]));
  return model;
}

/** Whether a network's outputs are as close as they must be; prints a line for each kind of numerics. */
async function compareOutputs(name: Name, folder: string, expected: Expected): Promise<boolean> {
  const images = (await expected.read('images')).data as Float32Array;
  const { data: truth } = await expected.read('logits64');
  const torch = distance((await expected.read('logits32')).data, truth);
  const size = distance(truth, new Float64Array(truth.length));
  const count = images.length / (224 * 224 * 3);
  process.stdout.write(
    `${name}: PyTorch's float32 is off by ${(torch / size).toExponential(2)} of its outputs\n`,
  );
  let isClose = true;
  for (const numerics of ['direct', 'accurate', 'fast'] as const) {
    await using model = await modelOf(name, folder, { numerics });
    const { data } = await model.predict(images, { batchSize: count });
    const times = distance(data, truth) / torch;
    const isSame = JSON.stringify(largestFives(data, count)) === JSON.stringify(largestFives(truth, count));
    const five = isSame ? 'the same five largest' : 'other five largest';
    process.stdout.write(`  ${numerics.padEnd(8)} ${times.toFixed(2)} times that, ${five}\n`);
    isClose &&= isSame && (numerics === 'fast' || times <= MOST_TIMES_TORCH);
  }
  return isClose;
}

function checkNames(given: readonly string[]): Name[] {
  const known = Object.keys(networks) as Name[];
  if (given.length === 0) return known;
  return given.map((name) => {
    const found = known.find((each) => each.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const expected = `one of ${known.join(', ')}`;
    throw new ConfigError({ operation: 'against:torch', argument: 'NETWORK', expected, received: name });
  });
}

async function main(args: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { batch: text, seed: text, python: text, keep: text, step: flag, help: flag };
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const names = values.step ? (['vgg16'] as const) : checkNames(positionals);
  const { python = '/usr/bin/python3', seed = '21', batch = values.step ? '8' : '2' } = values;
  const folder = values.keep ?? (await mkdtemp(path.join(tmpdir(), 'faltung-torch-')));
  try {
    let isClose = true;
    for (const name of names) {
      const step = values.step ? ['--step', String(LEARNING_RATE)] : [];
      runPython(python, 'make.py', [folder, name, '--batch', batch, '--seed', seed, ...step]);
      const expected = await openExpected(path.join(folder, 'expected.safetensors'));
      try {
        const isNear = values.step
          ? await compareStep(
              {
                folder,
                learningRate: LEARNING_RATE,
                modelOf: (numerics) => modelOf(name, folder, { numerics }),
                decide: () => runPython(python, 'decide.py', [folder]),
              },
              expected,
            )
          : await compareOutputs(name, folder, expected);
        isClose &&= isNear;
      } finally {
        await expected.close();
      }
    }
    return isClose ? 0 : 1;
  } finally {
    if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (!isUsage && !(error instanceof FaltungError)) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}

/** What happens where a step's losses or gradients are not finite: the run ends, or the step is left out. */
import { ConfigError, formatValue, NonFiniteLossError, type NonFinitePlace } from '../errors.ts';
import type { Finding } from '../parallel/diagnose.ts';

/** 'stop' ends the run with NonFiniteLossError; 'skip' goes on with the next step, without this one's update. */
export type OnNonFinite = 'stop' | 'skip';

/** Throws ConfigError unless it is one of the two. */
export function checkOnNonFinite(operation: string, onNonFinite: OnNonFinite): void {
  if (onNonFinite === 'stop' || onNonFinite === 'skip') return;
  throw new ConfigError({
    operation,
    argument: 'onNonFinite',
    expected: "'stop' or 'skip'",
    received: formatValue(onNonFinite),
  });
}

/** Where the failed step stands in its run; samples are named by their index in the data set. */
export interface FailedAt {
  readonly operation: string;
  /** Counted from 1. */
  readonly epoch?: number;
  readonly step?: number;
  /** Index in the data set of the sample at a position of the batch. */
  indexOf(position: number): number;
}

/** The error for a step whose values are not finite; its weights are those of before the step. */
export function nonFiniteStep(finding: Finding | undefined, at: FailedAt): NonFiniteLossError {
  const { operation, epoch, step } = at;
  const { layer, tensor, hint } = describe(finding, at);
  const where = epoch === undefined ? undefined : `epoch ${epoch}, step ${step}`;
  const place: NonFinitePlace = { ...(epoch !== undefined && { epoch, step: step! }), layer, tensor };
  const value = finding?.value ?? Number.NaN;
  return new NonFiniteLossError(
    {
      operation,
      ...(where !== undefined && { argument: where }),
      expected: Number.isFinite(value) ? 'gradients whose squares are finite' : 'finite losses and gradients',
      received: `${value} in ${tensor}`,
      hint: `${hint}; the weights are those of before the step`,
    },
    place,
  );
}

/** The error for a parameter, or a tensor of the optimizer, that an update has made NaN or infinite. */
export function nonFiniteWeights(operation: string, epoch: number, name: string): NonFiniteLossError {
  const tensor = `${name} after the update`;
  return new NonFiniteLossError(
    {
      operation,
      argument: `epoch ${epoch}`,
      expected: 'finite weights and optimizer state',
      received: `NaN or an infinity in ${tensor}`,
      hint: 'lower the learning rate, and go on from the last saved weights',
    },
    { epoch, layer: name.slice(name.indexOf('/') + 1, name.lastIndexOf('/')), tensor },
  );
}

/** The error for an epoch in which every step was left out: there is nothing to go on with. */
export function nonFiniteEpoch(operation: string, epoch: number, steps: number): NonFiniteLossError {
  return new NonFiniteLossError(
    {
      operation,
      argument: `epoch ${epoch}`,
      expected: 'a step whose losses and gradients are finite',
      received: `none of ${steps}`,
      hint: "onNonFinite: 'stop' names the first bad tensor; the weights are those of before the epoch",
    },
    { epoch, tensor: 'every step' },
  );
}

interface Description {
  readonly layer: string | undefined;
  readonly tensor: string;
  readonly hint: string;
}

const LOWER = 'lower the learning rate, or scale the inputs';

function describe(finding: Finding | undefined, at: FailedAt): Description {
  const { buffer = '', layer, sample } = finding ?? {};
  const [kind, ...rest] = buffer.split('/');
  const name = rest.join('/');
  const of = layer === undefined ? '' : ` of layer "${layer}"`;
  const found = (tensor: string, hint = LOWER, at = layer): Description => ({ layer: at, tensor, hint });
  switch (kind) {
    case 'samples':
      return found(
        `sample ${at.indexOf(sample ?? 0)} of the data set${name && `, input ${name}`}`,
        'look at what the data set reads',
      );
    case 'parameter':
      return found(
        `the parameter ${name}, from before the step`,
        'lower the learning rate, and go on from the last saved weights',
        name.slice(0, name.lastIndexOf('/')),
      );
    case 'normalized':
      return found('the normalised samples', 'look at the data set and its normalization');
    case 'activation':
      return layer === undefined
        ? found('the normalised samples', 'look at the data set and its normalization')
        : found(`the output${of}`);
    case 'gradient':
      return found(layer === undefined ? 'the gradient of the loss' : `the gradient of the input${of}`);
    case 'partial':
    case 'reduced':
      return found(`the gradient of ${name}`);
    case 'saved':
    case 'shared':
      return found(`${rest.at(-1)}${of}`);
    case 'losses':
    case '':
      return found(
        name === '' ? 'the loss' : `the loss of output ${name}`,
        `${LOWER}, and look at targets and weights of samples`,
      );
    default:
      return found(`${buffer}${of}`);
  }
}

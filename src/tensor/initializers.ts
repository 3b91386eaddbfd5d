/**
 * Initial values of parameters, with Keras' definitions. Element i of a tensor is a pure function of
 * (key, i), whatever the tensor's size, by the element addressing of math/random.ts.
 *
 * Variance scaling (Glorot and Bengio 2010, He et al. 2015, LeCun et al. 1998): with n = fanIn, fanOut or
 * their mean, the variance is scale/n: uniform on +-sqrt(3 scale/n), or normal, cut off at two standard
 * deviations and widened so that the variance stays.
 */
import { ConfigError, formatValue } from '../errors.ts';
import { powerOfTwo } from '../math/bits.ts';
import { boxMuller, elementWord, elementWords, type StreamKey } from '../math/random.ts';

/** Initialisers without options. */
export type InitializerName = keyof typeof NAMED;

/** How to fill a parameter: a name, or an object of plain data. */
export type Initializer =
  | InitializerName
  | { readonly name: 'constant'; readonly value: number }
  /** Uniform from `minval` (default -0.05) to `maxval` (0.05). */
  | { readonly name: 'randomUniform'; readonly minval?: number; readonly maxval?: number }
  /** Normal; `mean` defaults to 0, `stddev` to 0.05. */
  | { readonly name: 'randomNormal'; readonly mean?: number; readonly stddev?: number }
  /** As 'randomNormal', values beyond two `stddev` redrawn. */
  | { readonly name: 'truncatedNormal'; readonly mean?: number; readonly stddev?: number }
  | VarianceScaling;

/** Defaults: scale 1, mode 'fanIn', distribution 'truncatedNormal'. */
export interface VarianceScaling {
  readonly name: 'varianceScaling';
  readonly scale?: number;
  readonly mode?: 'fanIn' | 'fanOut' | 'fanAvg';
  readonly distribution?: 'truncatedNormal' | 'untruncatedNormal' | 'uniform';
}

/** Inputs that feed one output, and outputs that one input feeds. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/** Standard deviation of a standard normal cut off at +-2. */
const TRUNCATED_STDDEV = 0.87962566103423978;

/** The spacing of 32-bit words as fractions. */
const ULP_32 = powerOfTwo(-32);

const NAMED = {
  glorotUniform: { name: 'varianceScaling', scale: 1, mode: 'fanAvg', distribution: 'uniform' },
  glorotNormal: { name: 'varianceScaling', scale: 1, mode: 'fanAvg', distribution: 'truncatedNormal' },
  heUniform: { name: 'varianceScaling', scale: 2, mode: 'fanIn', distribution: 'uniform' },
  heNormal: { name: 'varianceScaling', scale: 2, mode: 'fanIn', distribution: 'truncatedNormal' },
  lecunUniform: { name: 'varianceScaling', scale: 1, mode: 'fanIn', distribution: 'uniform' },
  lecunNormal: { name: 'varianceScaling', scale: 1, mode: 'fanIn', distribution: 'truncatedNormal' },
  zeros: { name: 'constant', value: 0 },
  ones: { name: 'constant', value: 1 },
} as const;

const finite = (value: unknown): boolean => Number.isFinite(value);
const notNegative = (value: unknown): boolean => finite(value) && (value as number) >= 0;
const oneOf =
  (...choices: string[]) =>
  (value: unknown): boolean =>
    choices.includes(value as string);
/** What each option of each configurable initialiser must be. */
const OPTIONS: Record<string, Record<string, (value: unknown) => boolean>> = {
  constant: { value: finite },
  randomUniform: { minval: finite, maxval: finite },
  randomNormal: { mean: finite, stddev: notNegative },
  truncatedNormal: { mean: finite, stddev: notNegative },
  varianceScaling: {
    scale: notNegative,
    mode: oneOf('fanIn', 'fanOut', 'fanAvg'),
    distribution: oneOf('truncatedNormal', 'untruncatedNormal', 'uniform'),
  },
};

/** Returns `value` where it is an initialiser; throws ConfigError otherwise. */
export function checkInitializer(operation: string, argument: string, value: unknown): Initializer {
  if (typeof value === 'string' && Object.hasOwn(NAMED, value)) return value as InitializerName;
  const name = (value as { name?: unknown } | null | undefined)?.name;
  if (typeof value !== 'object' || typeof name !== 'string' || !Object.hasOwn(OPTIONS, name)) {
    const names = [...Object.keys(NAMED), ...Object.keys(OPTIONS).map((each) => `{ name: '${each}' }`)];
    throw new ConfigError({
      operation,
      argument,
      expected: `one of ${names.join(', ')}`,
      received: formatValue(value),
    });
  }
  const options = OPTIONS[name]!;
  const given = Object.entries(value as object).filter(([key, each]) => key !== 'name' && each !== undefined);
  const wrong = given.find(([key, each]) => !Object.hasOwn(options, key) || !options[key]!(each));
  const { minval = -0.05, maxval = 0.05 } = value as { minval?: number; maxval?: number };
  if (wrong !== undefined || minval > maxval || (name === 'constant' && given.length === 0)) {
    throw new ConfigError({
      operation,
      argument,
      expected: `${name} with sensible ${Object.keys(options).join(', ')}`,
      received: JSON.stringify(value),
    });
  }
  return value as Initializer;
}

/** Fans of convolution weights [kernelHeight, kernelWidth, inPerGroup, outChannels]. */
export function convFans(
  kernelHeight: number,
  kernelWidth: number,
  inPerGroup: number,
  outChannels: number,
): Fans {
  const taps = kernelHeight * kernelWidth;
  return { fanIn: taps * inPerGroup, fanOut: taps * outChannels };
}

/**
 * Fills `out` with the values of `initializer`, computed in f64 and rounded to f32.
 * Throws ConfigError for an unknown initialiser, senseless options or fans that are not positive.
 */
export function fillInitializer(
  initializer: Initializer,
  out: Float32Array,
  fans: Fans,
  key: StreamKey,
): void {
  const checked = checkInitializer('fillInitializer', 'initializer', initializer);
  const plain = typeof checked === 'string' ? NAMED[checked] : checked;
  switch (plain.name) {
    case 'constant':
      out.fill(plain.value);
      return;
    case 'randomUniform':
      fillUniform(out, plain.minval ?? -0.05, plain.maxval ?? 0.05, key);
      return;
    case 'randomNormal':
      fillNormal(out, plain.mean ?? 0, plain.stddev ?? 0.05, Infinity, key);
      return;
    case 'truncatedNormal':
      fillNormal(out, plain.mean ?? 0, plain.stddev ?? 0.05, 2, key);
      return;
    case 'varianceScaling':
      fillScaled(plain, out, fans, key);
  }
}

function fillScaled(scaling: VarianceScaling, out: Float32Array, fans: Fans, key: StreamKey): void {
  const { fanIn, fanOut } = fans;
  if (!(fanIn > 0 && fanOut > 0 && Number.isFinite(fanIn + fanOut))) {
    throw new ConfigError({
      operation: 'fillInitializer',
      argument: 'fans',
      expected: 'positive fanIn and fanOut',
      received: JSON.stringify(fans),
    });
  }
  const { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal' } = scaling;
  const fan = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode];
  const variance = scale / Math.max(1, fan);
  if (distribution === 'uniform') {
    const limit = Math.sqrt(3 * variance);
    fillUniform(out, -limit, limit, key);
  } else if (distribution === 'untruncatedNormal') {
    fillNormal(out, 0, Math.sqrt(variance), Infinity, key);
  } else {
    fillNormal(out, 0, Math.sqrt(variance) / TRUNCATED_STDDEV, 2, key);
  }
}

/**
 * Element i is (low + high)/2 + (high - low)/2 * t with t = (2 w + 1)/2^32 - 1 for its word w, which lies
 * in (-1, 1), symmetrically about 0; rounding to f32 may reach the f32 nearest to a limit.
 */
function fillUniform(out: Float32Array, low: number, high: number, key: StreamKey): void {
  const middle = low / 2 + high / 2;
  const reach = high / 2 - low / 2;
  const words = new Uint32Array(16);
  for (let i = 0; i < out.length; i++) {
    if ((i & 15) === 0) elementWords(key, i >>> 4, words);
    out[i] = middle + reach * ((2 * words[i & 15]! + 1) * ULP_32 - 1);
  }
}

/**
 * Element i is mean + stddev * z, z by Box and Muller from its words at samples 2a and 2a + 1, where
 * a = 0, 1, ... is the first attempt with |z| <= cut.
 */
function fillNormal(out: Float32Array, mean: number, stddev: number, cut: number, key: StreamKey): void {
  const first = new Uint32Array(16);
  const second = new Uint32Array(16);
  for (let i = 0; i < out.length; i++) {
    if ((i & 15) === 0) {
      elementWords(key, i >>> 4, first, 0);
      elementWords(key, i >>> 4, second, 1);
    }
    let z = normalOfWords(first[i & 15]!, second[i & 15]!);
    for (let attempt = 1; Math.abs(z) > cut; attempt++) {
      z = normalOfWords(elementWord(key, i, 2 * attempt), elementWord(key, i, 2 * attempt + 1));
    }
    out[i] = mean + stddev * z;
  }
}

function normalOfWords(first: number, second: number): number {
  return boxMuller((first + 0.5) * ULP_32, second * ULP_32);
}

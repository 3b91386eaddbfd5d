/**
 * Reads the golden fixtures of test/fixtures/torch/ (made by test/fixtures/make-torch-fixtures.py) and draws
 * the parameters and images that they leave out.
 *
 * A fixture is NAME.json and NAME.bin, little-endian. The JSON's `tensors` index the binary:
 * name -> { type: 'f32' | 'f64', shape, offsetBytes }; `about` says what the tensors are; all else is plain data.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../fixtures/torch/', import.meta.url);

/** One stored tensor; `data` is a Float32Array for inputs and PyTorch's f32, a Float64Array for truths. */
export interface FixtureTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** What the generator needs to draw one tensor. */
export interface DrawnTensor {
  readonly stream: number;
  readonly shape: readonly number[];
  readonly scale: number;
}

/** The plain data of the fixture `notebook`; its `about` explains the names of the tensors. */
export interface NotebookJson {
  readonly about: string;
  readonly seed: number;
  /** By `LAYER/weight` and `LAYER/bias`, in the order of the network: conv1..conv6, dense1..dense3. */
  readonly parameters: Readonly<Record<string, DrawnTensor>>;
  readonly images: DrawnTensor;
  /** The four labels of each of the ten steps. */
  readonly labels: readonly (readonly number[])[];
  /** Element i of a stored sample is element i*stride of the tensor. */
  readonly samples: Readonly<Record<string, { readonly size: number; readonly stride: number }>>;
  readonly runs: Readonly<
    Record<string, { readonly learningRate: number; readonly momentum?: number; readonly nesterov?: boolean }>
  >;
  /** Sum and L2 norm over all elements, by the name of the stored tensor. */
  readonly summaries: Readonly<Record<string, { readonly sum: number; readonly norm: number }>>;
  /** Of each drawn tensor: words 0, 1 and the last, and the exact sum of its values. */
  readonly generator: Readonly<Record<string, { readonly words: readonly number[]; readonly sum: number }>>;
  /** Distance of the nearest kink in RMS errors of PyTorch's f32. */
  readonly margins: Readonly<Record<string, number>>;
}

/** The plain data of the fixtures `layers` and `normalizations`. */
export interface LayersJson {
  readonly about: string;
  readonly cases: readonly {
    readonly name: string;
    readonly layer: string;
    readonly options: Readonly<Record<string, unknown>>;
  }[];
}

/** The plain data of the fixture `spatial`. */
export interface SpatialJson {
  readonly about: string;
  readonly cases: readonly {
    readonly name: string;
    /** The layer's type in the registry, and its options. */
    readonly layer: string;
    readonly options: Readonly<Record<string, unknown>>;
    /** Rounded operations of an element, by the result's name; absent where all results are exact. */
    readonly terms?: Readonly<Record<string, number>>;
  }[];
}

/** The plain data of the fixture `optimizers`. */
export interface OptimizersJson {
  readonly about: string;
  readonly cases: Readonly<Record<string, OptimizerCase>>;
}

/** The plain data of the fixture `schedules`: PyTorch's options by case. */
export interface SchedulesJson {
  readonly about: string;
  readonly cases: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The plain data of the fixture `losses`. */
export interface LossesJson {
  readonly about: string;
  readonly cases: Readonly<Record<string, LossCase>>;
}

/** A loss of the library, and what PyTorch's was given. */
export interface LossCase {
  readonly loss: string;
  readonly index: boolean;
  readonly labelSmoothing?: number;
  readonly classWeight?: readonly number[];
  readonly fromLogits?: boolean;
  readonly delta?: number;
}

/** Rule and options of one optimizer run. */
export interface OptimizerCase {
  readonly rule: 'sgd' | 'adam' | 'rmsprop' | 'adagrad' | 'lion';
  readonly learningRate: number;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly rho?: number;
  readonly epsilon?: number;
  readonly centered?: boolean;
  readonly weightDecay?: number;
}

/** The plain data of the fixture `networks`; its `about` explains the names of the tensors. */
export interface NetworksJson {
  readonly about: string;
  readonly seed: number;
  readonly images: DrawnTensor;
  readonly networks: Readonly<Record<'vgg16' | 'googLeNetBN' | 'denseNet121' | 'resNet50', NarrowNetwork>>;
}

/** Filters of its first convolution, and its state_dict: by name stream, shape, scale and offset of the values. */
export interface NarrowNetwork {
  readonly width: number;
  readonly units?: number;
  readonly state: Readonly<
    Record<string, readonly [stream: number, shape: readonly number[], scale: number, offset: number]>
  >;
}

interface FixtureJsons {
  readonly networks: NetworksJson;
  readonly notebook: NotebookJson;
  readonly layers: LayersJson;
  readonly normalizations: LayersJson;
  readonly optimizers: OptimizersJson;
  readonly spatial: SpatialJson;
  readonly schedules: SchedulesJson;
  readonly losses: LossesJson;
}

/** A fixture in memory; `tensor` fails on an unknown name, `tensors` is for looking. */
export interface Fixture<J> {
  readonly json: J;
  readonly tensors: Readonly<Record<string, FixtureTensor>>;
  tensor(name: string): FixtureTensor;
}

/** Loads a fixture by name. */
export function loadFixture<N extends keyof FixtureJsons>(name: N): Fixture<FixtureJsons[N]> {
  const json = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
  const bytes = readFileSync(new URL(`${name}.bin`, FOLDER));
  const tensors: Record<string, FixtureTensor> = {};
  let end = 0;
  for (const [key, entry] of Object.entries<TensorEntry>(json.tensors)) {
    assert.ok(entry.offsetBytes >= end, `${name}.json: ${key} overlaps the tensor before it`);
    tensors[key] = readTensor(bytes, entry);
    end = entry.offsetBytes + tensors[key].data.byteLength;
  }
  assert.equal(bytes.length, Math.ceil(end / 8) * 8, `${name}.bin: size`);
  const tensor = (key: string): FixtureTensor => {
    const found = tensors[key];
    assert.ok(found !== undefined, `fixture ${name} has no tensor "${key}"`);
    return found;
  };
  return { json, tensors, tensor };
}

interface TensorEntry {
  readonly type: 'f32' | 'f64';
  readonly shape: readonly number[];
  readonly offsetBytes: number;
}

function readTensor(bytes: Buffer, entry: TensorEntry): FixtureTensor {
  const { type, shape, offsetBytes } = entry;
  assert.ok(type === 'f32' || type === 'f64', `unknown type ${type}`);
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = type === 'f32' ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) {
    data[i] =
      type === 'f32' ? bytes.readFloatLE(offsetBytes + 4 * i) : bytes.readDoubleLE(offsetBytes + 8 * i);
  }
  return { shape, data };
}

/** A bijection of 32-bit words with good avalanche (C. Wellons, "lowbias32"). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Word `index` of a stream (0..255) as an unsigned integer: mix(index + mix(1 + stream + 256 seed)) mod 2^32. */
export function drawWord(seed: number, stream: number, index: number): number {
  return mix((index + mix(1 + stream + 256 * seed)) | 0);
}

/**
 * `count` values from `start` on: scale * (2 r - 65535) / 65536, r the upper 16 bits of the word; exact in f32.
 * The images of step s of the notebook start at s times the size of a batch.
 */
export function drawValues(seed: number, tensor: DrawnTensor, start = 0): Float32Array {
  const count = tensor.shape.reduce((product, extent) => product * extent, 1);
  return Float32Array.from({ length: count }, (_, i) => {
    const r = drawWord(seed, tensor.stream, start + i) >>> 16;
    return (tensor.scale * (2 * r - 65535)) / 65536;
  });
}

/** The sample of a whole tensor at the places where the fixture `notebook` stores it. */
export function sampleLike(json: NotebookJson, name: string, whole: ArrayLike<number>): Float64Array {
  const sample = json.samples[name];
  assert.ok(sample !== undefined, `no sample of "${name}"`);
  assert.equal(whole.length, sample.size, `${name}: size`);
  return Float64Array.from(
    { length: Math.ceil(sample.size / sample.stride) },
    (_, i) => whole[i * sample.stride]!,
  );
}

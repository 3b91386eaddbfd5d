import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  add,
  batchNormalization,
  ConfigError,
  conv2d,
  defineLayer,
  dense,
  FileError,
  FormatError,
  flatten,
  functional,
  globalAveragePooling2d,
  googLeNet,
  input,
  type Layer,
  layers,
  load,
  type Model,
  StateError,
  sequential,
  weightsSha256,
} from '../../src/index.ts';
import { localFiles } from '../../src/io/file-system.ts';
import { allWeights, smallDataset, smallModel, testEngine } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { failingFiles } from '../helpers/failing-files.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const engine = testEngine({ threads: 2 });
const folder = temporaryFolder();
const place = (name: string) => path.join(folder, `${name}.safetensors`);

/** The model saved and loaded. */
async function throughFile(model: Model, name: string, options = {}): Promise<Model> {
  await model.save(place(name));
  return load(place(name), options);
}

test('29: a trained model comes back bit for bit, and goes on alike', async () => {
  await using model = smallModel();
  await model.fit(smallDataset(37), { batchSize: 8, engine });
  await using again = await throughFile(model, 'trained');
  assertSameBits(allWeights(again), allWeights(model));
  assert.deepEqual([again.seed, again.numerics], [model.seed, model.numerics]);
  assert.equal(again.summary({ threads: 1 }), model.summary({ threads: 1 }));
  const outputs = async (each: Model) => (await each.predict(smallDataset(5, 9), { engine })).data;
  assertSameBits(await outputs(again), await outputs(model));
  // The optimizer's state is not in the file: both begin with a new one.
  const options = { batchSize: 8, engine, optimizer: 'sgd' } as const;
  for (const each of [model, again]) await each.fit(smallDataset(37), options);
  assertSameBits(allWeights(again), allWeights(model));
  assert.deepEqual(readdirSync(folder), ['trained.safetensors']);
});

test('all bits are kept: infinities, both zeros, subnormals, NaN with what it carries', async () => {
  await using model = sequential({ inputShape: [4] }, [dense({ units: 2 })]);
  const words = Uint32Array.of(
    0x7f800000,
    0xff800000,
    0x80000000,
    1,
    0x7fc12345,
    0xffffffff,
    0x7f800001,
    0x3f800000,
  );
  model.setWeights({ 'dense/weight': new Float32Array(words.buffer) });
  await model.save(place('special'));
  const file = readFileSync(place('special'));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const stored = model.getWeights()['dense/weight']!.data;
  assert.deepEqual(
    [...file.subarray(start, start + 32)],
    [...new Uint8Array(stored.buffer, stored.byteOffset, 32)],
  );
  await using again = await load(place('special'));
  assertSameBits(allWeights(again), allWeights(model));
});

// biome-ignore lint/suspicious/noExplicitAny: the options of all layers.
const makers = Object.entries(layers) as [string, ((options: any) => Layer) & { definition: any }][];
for (const [type, make] of makers) {
  test(`${type}: every example comes back with its configuration`, async () => {
    for (const { options, inputShape, otherInputShapes = [] } of make.definition.examples) {
      const inputs = [inputShape, ...otherInputShapes];
      const image = input({ shape: inputShape });
      const model =
        inputs.length === 1
          ? sequential({ inputShape, seed: 5, numerics: 'accurate' }, [make({ ...options, name: 'mine' })])
          : functional({
              inputs: image,
              outputs: (make({ ...options, name: 'mine' }) as never as (t: unknown) => never)([
                image,
                ...otherInputShapes.map(() => image),
              ]),
              seed: 5,
              numerics: 'accurate',
            });
      const again = await throughFile(model, type);
      assert.deepEqual(
        again.graph.nodes.map(({ layer }) => [layer.type, layer.config]),
        model.graph.nodes.map(({ layer }) => [layer.type, layer.config]),
      );
      assert.deepEqual(again.graph.tensors, model.graph.tensors);
      assert.equal(weightsSha256(again), weightsSha256(model));
    }
  });
}

describe('functional models', () => {
  /** A shared convolution, a fan-out, two named outputs, a frozen layer. */
  function branching(): Model {
    const image = input({ shape: [6, 6, 3], name: 'picture' });
    const shared = conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'elu', name: 'shared' });
    const first = shared(image);
    const sum = add()([first, shared(first)]);
    const pooled = globalAveragePooling2d()(sum);
    const head = dense({ units: 4, activation: 'softmax', name: 'head', trainable: false })(pooled);
    const other = dense({ units: 4, activation: 'softmax' })(flatten()(first));
    return functional({ inputs: image, outputs: { main: head, side: other }, seed: 3 });
  }

  test('come back with shared layers, names, outputs and what is frozen', async () => {
    await using model = branching();
    await using again = await throughFile(model, 'branching');
    const shape = (each: Model) => ({
      ...each.graph,
      nodes: each.graph.nodes.map(({ layer, ...node }) => ({
        ...node,
        type: layer.type,
        config: layer.config,
      })),
    });
    assert.deepEqual(shape(again), shape(model));
    const pixels = Float32Array.from({ length: 108 }, (_, i) => Math.fround(i / 50 - 1));
    const outputs = async (each: Model) => each.predictAll(pixels, { engine });
    assert.deepEqual(await outputs(again), await outputs(model));
  });

  test('models within models keep the names of their layers; freeze() is stored', async () => {
    await using inner = smallModel();
    const image = input({ shape: [8, 8, 3] });
    await using outer = functional({ inputs: image, outputs: inner.apply(image, { name: 'body' }), seed: 1 });
    outer.freeze('body/dense');
    await using again = await throughFile(outer, 'nested');
    assert.ok('body/dense_1/weight' in again.getWeights());
    assertSameBits(allWeights(again), allWeights(outer));
    const frozen = (model: Model) =>
      model.graph.nodes.filter(({ trainable }) => !trainable).map(({ name }) => name);
    assert.deepEqual(frozen(again), ['body/dense', 'body/dense_1']);
    const before = again.getWeights()['body/dense/weight']!.data;
    await again.fit(smallDataset(9), { engine });
    assertSameBits(again.getWeights()['body/dense/weight']!.data, before);
  });

  test('a model applied twice under one name keeps its shared parameters and running statistics', async () => {
    const small = input({ shape: [6, 6, 3] });
    const conv = conv2d({ name: 'conv', filters: 3, kernelSize: 3, padding: 'same', useBias: false });
    const normal = batchNormalization({ name: 'normal', momentum: 0.5 });
    await using inner = functional({ inputs: small, outputs: normal(conv(small)), seed: 2 });
    const image = input({ shape: [6, 6, 3] });
    const body = (x: typeof image) => inner.apply(x, { name: 'body' });
    const outputs = dense({ units: 4, activation: 'softmax', name: 'top' })(
      globalAveragePooling2d()(body(body(image))),
    );
    await using model = functional({ inputs: image, outputs, seed: 3 });
    const pixels = Float32Array.from({ length: 4 * 108 }, (_, i) => Math.fround(((i * 37) % 101) / 50 - 1));
    await model.trainOnBatch({ inputs: pixels, targets: Int32Array.of(0, 1, 2, 3) }, { engine });
    const { data: mean } = model.getWeights()['body/normal/movingMean']!;
    assert.ok(mean.every((value) => value !== 0));
    await using again = await throughFile(model, 'applied-twice');
    assert.deepEqual(Object.keys(again.getWeights()), Object.keys(model.getWeights()));
    assertSameBits(allWeights(again), allWeights(model));
    const predicted = async (each: Model) => (await each.predict(pixels, { engine })).data;
    assertSameBits(await predicted(again), await predicted(model));
  });

  test('GoogLeNet comes back', async () => {
    await using model = functional(googLeNet({ classes: 3 }));
    await using again = await throughFile(model, 'googlenet');
    assert.equal(weightsSha256(again), weightsSha256(model));
    assert.deepEqual(again.graph.outputNames, model.graph.outputNames);
  });
});

test('a layer of one’s own comes back where it is passed, and is refused by name where it is not', async () => {
  const scaled = defineLayer<{ by: number }, { by: number }>({
    type: 'scaled',
    resolve: ({ by = 2 }) => ({ by }),
    outputShape: (_config, [shape]) => shape!,
    reshape: true,
    examples: [],
  });
  await using model = sequential({ inputShape: [3] }, [scaled({ by: 3 }), dense({ units: 2 })]);
  await model.save(place('own'));
  await using again = await load(place('own'), { layers: [scaled] });
  assert.deepEqual(again.graph.nodes[0]!.layer.config, { by: 3 });
  await assert.rejects(load(place('own')), (error) => {
    assert.ok(error instanceof FormatError);
    assert.match(
      error.message,
      /^load ".*own\.safetensors": architecture\.layers\[0\]\.type: expected one of activation, .*, got "scaled" \(a layer of your own is passed to load: \{ layers: \[yourLayer\] \}\)$/,
    );
    return true;
  });
  const disguised = defineLayer({ ...scaled.definition, type: 'dense' });
  await using wrong = sequential({ inputShape: [3] }, [disguised({ by: 3 })]);
  await assert.rejects(wrong.save(place('wrong')), /layer "dense": expected a type of its own/);
  await assert.rejects(load(place('own'), { layers: [disguised] }), ConfigError);
  const unstorable = defineLayer({
    ...scaled.definition,
    type: 'other',
    resolve: () => ({ by: Number.NaN }),
  });
  await using lossy = sequential({ inputShape: [3] }, [unstorable({ by: 1 })]);
  await assert.rejects(lossy.save(place('wrong')), /architecture\.layers\[0\]\.config\.by: .*got NaN/);
  assert.ok(!readdirSync(folder).some((name) => name.startsWith('wrong')));
});

test('another reader finds what getWeights says', (t) => {
  const script = fileURLToPath(new URL('../fixtures/read_safetensors.py', import.meta.url));
  const python = ['/usr/bin/python3', 'python3'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (python === undefined) return t.skip('no python3 here');
  const model = smallModel();
  return (async () => {
    await model.save(place('python'));
    const { stdout, stderr, status } = spawnSync(python, [script, place('python')], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { metadata, tensors, aligned } = JSON.parse(stdout);
    const expected = Object.entries(model.getWeights()).map(([name, { shape, data }]) => {
      const sha256 = createHash('sha256').update(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      return [name, { dtype: 'F32', shape, sha256: sha256.digest('hex') }];
    });
    assert.deepEqual(tensors, Object.fromEntries(expected));
    assert.equal(aligned, true);
    assert.deepEqual(Object.keys(metadata), ['sha256', 'format', 'version', 'numerics', 'architecture']);
    assert.equal(JSON.parse(metadata.architecture).layers.length, 7);
    await model.close();
  })();
});

test('the operating system’s refusals are FileErrors that say what and where', async () => {
  await using model = smallModel();
  const refused = async (run: Promise<unknown>, message: RegExp) => {
    await assert.rejects(run, (error) => error instanceof FileError && message.test(error.message));
  };
  await refused(
    load(place('missing')),
    /^load ".*missing\.safetensors": .*: expected to open it, got ENOENT.*\(look at the path\)/,
  );
  await refused(
    model.save(path.join(folder, 'no', 'where')),
    /^save ".*where": .*: expected to list the folder, got ENOENT/,
  );
  mkdirSync(place('folder'), { recursive: true });
  await refused(load(place('folder')), /EISDIR|not a regular file/);
  await refused(model.save(place('folder')), /to rename .* got (EISDIR|ENOTEMPTY|EEXIST|EPERM)/);
  assert.ok(!readdirSync(folder).some((name) => name.endsWith('.tmp')));
  if (process.platform !== 'win32') {
    spawnSync('mkfifo', [place('pipe')]);
    await refused(load(place('pipe')), /not a regular file/);
  }
  if (process.getuid?.() !== 0) {
    mkdirSync(place('closed'));
    chmodSync(place('closed'), 0o500);
    await refused(model.save(path.join(place('closed'), 'm')), /EACCES.*look at the rights/);
  }
});

test('a busy model is not saved', async () => {
  await using model = smallModel();
  const running = model.fit(smallDataset(9), { engine });
  await assert.rejects(model.save(place('busy')), StateError);
  await running;
  await model.save(place('busy'));
});

test('a file of version 1 is read for ever', async () => {
  const file = fileURLToPath(new URL('../fixtures/model-v1.safetensors', import.meta.url));
  await using model = await load(file);
  assert.equal(weightsSha256(model), '78b858898404ca16acc6fedf9125518309d226f66f81294f2e1438734309f1e7');
  assert.deepEqual([model.seed, model.numerics, model.graph.outputNames], [21, 'accurate', ['classes']]);
  const { data } = await model.predict(smallDataset(3, 7), { engine });
  const expected = [
    0.94452155, 0.001944924, 0.00011242, 0.05342113, 0.82407904, 0.01067307, 0.00490111, 0.16034679,
    0.60716939, 0.25247893, 0.01669642, 0.1236553,
  ];
  data.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < 1e-5, `output ${i}: ${value}`);
  });
});

test('whichever file operation fails, the model that was there is still there', async () => {
  await using old = smallModel(1);
  await using next = smallModel(2);
  const counted = failingFiles(localFiles);
  await old.save(place('faults'), { files: counted.files });
  for (let at = 0; at < counted.operations(); at++) {
    await old.save(place('faults'));
    const { files } = failingFiles(localFiles, { at, code: 'ENOSPC', forGood: at % 2 === 0 });
    await assert.rejects(next.save(place('faults'), { files }), FileError);
    await using found = await load(place('faults'));
    const renamed = at === counted.operations() - 1;
    assertSameBits(allWeights(found), allWeights(renamed ? next : old));
  }
  await next.save(place('faults'));
  assert.ok(!readdirSync(folder).some((name) => name.endsWith('.tmp')));
});

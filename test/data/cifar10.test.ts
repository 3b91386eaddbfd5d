import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cifar10, type LoadProgress } from '../../src/data/cifar10.ts';
import { TEST_FILE, TRAINING_FILES } from '../../src/data/cifar10-format.ts';
import { locateCifar10, userCache } from '../../src/data/cifar10-location.ts';
import { createBatchBuffer, type Dataset } from '../../src/data/dataset.ts';
import { FaltungError } from '../../src/errors.ts';
import { tar } from './tar-writer.ts';
import { sendRange, serve, temporaryFolder } from './test-server.ts';

const FILE_BYTES = 30_730_000;
const NAMES = [...TRAINING_FILES, TEST_FILE];
const repositoryRoot = path.resolve(import.meta.dirname, '../..');
const realData = [
  process.env.CIFAR10_DIR,
  path.join(repositoryRoot, '../shared/data/cifar-10-batches-bin'),
].find((place) => place && existsSync(place));

before(() => {
  for (const name of ['CIFAR10_DIR', 'FALTUNG_CIFAR10_URL', 'FALTUNG_CIFAR10_MD5']) delete process.env[name];
  // Away from the repository's own data/ folder.
  process.chdir(path.parse(process.cwd()).root);
});

/** Sparse files of the right size: all zero, but each file's first record has its number as label and red. */
function makeFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const [i, name] of NAMES.entries()) {
    const file = path.join(folder, name);
    writeFileSync(file, Uint8Array.of(i, i));
    truncateSync(file, FILE_BYTES);
  }
  return folder;
}

/** The same files as an archive: gzip members one after the other, the zeros compressed once. */
function makeArchive(): Buffer {
  const rest = gzipSync(Buffer.alloc(FILE_BYTES + ((512 - (FILE_BYTES % 512)) % 512) - 512), { level: 1 });
  const parts = NAMES.flatMap((name, i) => {
    const start = Buffer.alloc(512);
    start.set([i, i]);
    const header = tar([{ name: `cifar-10-batches-bin/${name}`, size: FILE_BYTES }], false);
    return [gzipSync(Buffer.concat([header, start])), rest];
  });
  return Buffer.concat([...parts, gzipSync(Buffer.alloc(1024))]);
}

async function sample(dataset: Dataset, index: number) {
  const into = createBatchBuffer(dataset, 1);
  await dataset.read(Uint32Array.of(index), into);
  return { label: into.targets[0], red: into.inputs[0] };
}

/** Labels 1 to 4 mark the first images of the training files; 0 is everywhere else. */
async function countMarks(dataset: Dataset): Promise<number> {
  const into = createBatchBuffer(dataset, dataset.size);
  await dataset.read(
    Uint32Array.from({ length: dataset.size }, (_, i) => i),
    into,
  );
  return [...into.targets].reduce((a, b) => a + b, 0);
}

function rejectsWith(action: Promise<unknown>, ...messages: (string | RegExp)[]): Promise<void> {
  return assert.rejects(action, (error: Error) => {
    assert.ok(error instanceof FaltungError, String(error));
    for (const message of messages) {
      const says: boolean =
        typeof message === 'string' ? error.message.includes(message) : message.test(error.message);
      assert.ok(says, `${error.message} should say ${message}`);
    }
    return true;
  });
}

test('a folder loads: 45000, 5000 and 10000 images, every one in one part', async (t) => {
  const folder = makeFolder(path.join(await temporaryFolder(t), 'batches'));
  const data = await cifar10.load({ data: folder });
  assert.deepEqual([data.source, data.location, data.message], ['cifar10', folder, undefined]);
  assert.deepEqual([data.train.size, data.validation.size, data.test.size], [45_000, 5000, 10_000]);
  assert.deepEqual(await sample(data.test, 0), { label: 5, red: 5 });
  assert.equal((await countMarks(data.train)) + (await countMarks(data.validation)), 0 + 1 + 2 + 3 + 4);
  assert.equal(data.train.normalization?.kind, 'standardize');
  assert.equal(data.test.normalization, data.train.normalization);
  assert.deepEqual(data.train.classNames?.slice(0, 2), ['airplane', 'automobile']);
});

test('an archive loads without being unpacked', async (t) => {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'cifar-10-binary.tar.gz');
  writeFileSync(archive, makeArchive());
  const loaded = await cifar10.load({
    data: archive,
    validationSplit: 0,
    normalization: 'notebook',
    limit: 100,
  });
  assert.deepEqual([loaded.source, loaded.location], ['cifar10', archive]);
  assert.deepEqual([loaded.train.size, loaded.validation.size, loaded.test.size], [100, 0, 100]);
  assert.deepEqual(loaded.test.normalization, { kind: 'l2Rows' });
  assert.deepEqual(await sample(loaded.test, 0), { label: 5, red: 5 });
  assert.deepEqual(await locateCifar10({ data: folder }), { kind: 'archive', path: archive });
  assert.deepEqual(readdirSync(folder), ['cifar-10-binary.tar.gz']);
});

test('without data on disk the archive is downloaded, unpacked into the cache, and found there next time', async (t) => {
  const cacheDirectory = path.join(await temporaryFolder(t), 'cache');
  const content = makeArchive();
  const server = await serve(t, (response, request, index) => {
    sendRange(response, request, content, index === 0 ? { bytes: 1000 } : {});
  });
  process.env.FALTUNG_CIFAR10_URL = server.url;
  process.env.FALTUNG_CIFAR10_MD5 = createHash('md5').update(content).digest('hex');
  t.after(() => {
    delete process.env.FALTUNG_CIFAR10_URL;
    delete process.env.FALTUNG_CIFAR10_MD5;
  });
  const stages: LoadProgress['stage'][] = [];
  const onProgress = ({ stage }: LoadProgress) => stages.at(-1) !== stage && stages.push(stage);
  const data = await cifar10.load({ cacheDirectory, limit: 10, onProgress });
  assert.equal(data.source, 'cifar10');
  assert.deepEqual(stages, ['download', 'unpack', 'read']);
  assert.deepEqual(
    server.seen.map((request) => request.range),
    [undefined, 'bytes=1000-'],
  );
  assert.deepEqual(readdirSync(cacheDirectory), ['cifar-10-batches-bin']);
  assert.deepEqual(readdirSync(path.join(cacheDirectory, 'cifar-10-batches-bin')).sort(), NAMES);

  const next = await locateCifar10({ cacheDirectory });
  assert.deepEqual(next, { kind: 'directory', path: data.location });
});

test('where nothing can be reached, drawn images are loaded with a loud message, or an error on request', async (t) => {
  const cacheDirectory = await temporaryFolder(t);
  const server = await serve(t, () => {});
  const options = {
    cacheDirectory,
    url: server.url,
    offlineTimeoutMs: 100,
    syntheticSizes: { train: 200, test: 50 },
  };
  const warned = once(process, 'warning');
  const data = await cifar10.load(options);
  assert.equal(data.source, 'synthetic');
  assert.equal(((await warned)[0] as Error).message, data.message, 'who reads no message is warned');
  assert.match(data.message!, /could not be downloaded from http.*: no answer for/);
  assert.match(data.message!, /THESE ARE SYNTHETIC IMAGES INSTEAD/);
  assert.match(data.message!, /CIFAR10_DIR/);
  assert.deepEqual([data.train.size, data.validation.size, data.test.size], [180, 20, 50]);
  assert.equal(data.classNames[0], 'disc');
  await rejectsWith(cifar10.load({ ...options, fallback: 'error' }), server.url, "data: 'synthetic'");
});

test('a reachable server with another file is an error, never a fallback', async (t) => {
  const cacheDirectory = await temporaryFolder(t);
  const server = await serve(t, (response) => response.end('a login page'));
  await rejectsWith(
    cifar10.load({ cacheDirectory, url: server.url }),
    'MD5 c32a1d4ab5d03f1284b67883e8d87530',
    server.url,
  );
  assert.deepEqual(readdirSync(cacheDirectory), []);
});

test('synthetic images on request: the seed moves the split and nothing else', async () => {
  const load = (seed: number) =>
    cifar10.load({ data: 'synthetic', seed, syntheticSizes: { train: 100, test: 10 } });
  const [a, b, c] = [await load(21), await load(21), await load(22)];
  assert.deepEqual([a.source, a.message, a.location], ['synthetic', undefined, undefined]);
  const pixels = async (dataset: Dataset) => {
    const into = createBatchBuffer(dataset, dataset.size);
    await dataset.read(
      Uint32Array.from({ length: dataset.size }, (_, i) => i),
      into,
    );
    return into.inputs;
  };
  assert.deepEqual(await pixels(a.train), await pixels(b.train));
  assert.notDeepEqual(await pixels(a.train), await pixels(c.train));
  assert.deepEqual(await pixels(a.test), await pixels(c.test));
  // Only what is asked for is drawn, and it is the same.
  for (const limit of [30, 4]) {
    const syntheticSizes = { train: 100, test: 10 };
    const limited = await cifar10.load({ data: 'synthetic', limit, syntheticSizes });
    for (const part of ['train', 'validation', 'test'] as const) {
      const size = Math.min(limit, a[part].size);
      assert.equal(limited[part].size, size);
      assert.deepEqual(await pixels(limited[part]), (await pixels(a[part])).subarray(0, size * 3072));
    }
  }
});

test('the order of places: the option, CIFAR10_DIR, the project, the cache', async (t) => {
  const root = await temporaryFolder(t);
  const at = (...parts: string[]) => path.join(root, ...parts, 'cifar-10-batches-bin');
  for (const folder of [at('option'), at('env'), at('project', 'data'), at('cache')]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, TEST_FILE), '');
  }
  const env = { CIFAR10_DIR: path.join(root, 'env') };
  const places = {
    projectDirectory: path.join(root, 'project'),
    cacheDirectory: path.join(root, 'cache'),
    env: {},
  };
  const found = async (search: object) => {
    const place = await locateCifar10({ ...places, ...search });
    return place.kind === 'directory' ? path.relative(root, path.dirname(place.path)) : place.kind;
  };
  assert.equal(await found({ data: path.join(root, 'option'), env }), 'option');
  assert.equal(await found({ data: at('option'), env }), 'option');
  assert.equal(await found({ env }), 'env');
  assert.equal(await found({}), path.join('project', 'data'));
  assert.equal(await found({ projectDirectory: root }), 'cache');
  assert.equal(await found({ projectDirectory: root, cacheDirectory: root }), 'nowhere');
  assert.equal(userCache({ XDG_CACHE_HOME: root }), path.join(root, 'faltung'));
  assert.match(userCache({ XDG_CACHE_HOME: 'relative' }), /\.cache.faltung$/);
});

test('a named place without CIFAR-10 is an error that says what was looked for', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(path.join(folder, 'cat.jpg'), '');
  const missing = path.join(folder, 'missing');
  await rejectsWith(
    cifar10.load({ data: missing }),
    'cifar10: data: expected a folder with data_batch_1.bin',
    'missing, which does not exist',
  );
  await rejectsWith(cifar10.load({ data: folder }), 'which has none of them');
  await rejectsWith(cifar10.load({ data: path.join(folder, 'cat.jpg') }), /got the file .*cat\.jpg/);
  await rejectsWith(locateCifar10({ env: { CIFAR10_DIR: missing } }), 'cifar10: CIFAR10_DIR: expected');
  writeFileSync(path.join(folder, 'data_batch_1'), '');
  await rejectsWith(cifar10.load({ data: folder }), 'the Python version', 'the binary version is needed');
});

test('a missing, truncated or damaged file is named, with the expected and the found size', async (t) => {
  const folder = makeFolder(await temporaryFolder(t));
  const third = path.join(folder, 'data_batch_3.bin');
  truncateSync(third, 1000);
  await rejectsWith(cifar10.load({ data: folder }), `${third}: expected 30730000 bytes`, 'got 1000 bytes');
  truncateSync(third, FILE_BYTES);
  const handle = openSync(third, 'r+');
  writeSync(handle, Uint8Array.of(77), 0, 1, 500 * 3073);
  closeSync(handle);
  await rejectsWith(cifar10.load({ data: folder }), `${third}, record 500 at byte offset 1536500`, 'got 77');
  const sixth = path.join(folder, TEST_FILE);
  const gone = await temporaryFolder(t);
  writeFileSync(path.join(gone, 'data_batch_1.bin'), readFileSync(sixth).subarray(0, 10));
  await rejectsWith(
    cifar10.load({ data: gone }),
    'data_batch_1.bin: expected 30730000 bytes',
    'got 10 bytes',
  );
  makeFolder(gone);
  truncateSync(path.join(gone, TEST_FILE), 0);
  await rejectsWith(cifar10.load({ data: gone }), `${TEST_FILE}: expected 30730000 bytes`, 'got 0 bytes');
});

test('options without sense are refused before anything is looked for', async () => {
  for (const limit of [0, -1, 1.5])
    await rejectsWith(
      cifar10.load({ data: 'synthetic', limit }),
      `limit: expected a positive whole number of images, got ${limit}`,
    );
  await rejectsWith(cifar10.load({ data: '/missing', validationSplit: 1 }), 'validationSplit');
  await rejectsWith(cifar10.load({ data: '/missing', seed: -1 }), 'seed');
  const normalization = 'zscore' as 'notebook';
  await rejectsWith(cifar10.load({ data: 'synthetic', normalization }), "expected 'standardize', 'notebook'");
});

test('the real data: classes are balanced, channel statistics are the published ones', async (t: TestContext) => {
  if (realData === undefined) {
    t.skip('no CIFAR-10 here: set CIFAR10_DIR to have it checked');
    return;
  }
  const data = await cifar10.load({ data: realData });
  for (const [parts, perClass] of [
    [[data.train, data.validation], 5000],
    [[data.test], 1000],
  ] as const) {
    const counts = new Array<number>(10).fill(0);
    for (const part of parts) {
      const into = createBatchBuffer(part, part.size);
      await part.read(
        Uint32Array.from({ length: part.size }, (_, i) => i),
        into,
      );
      for (const label of into.targets) counts[label]!++;
    }
    assert.deepEqual(counts, new Array(10).fill(perClass));
  }
  const { normalization } = data;
  assert.ok(normalization.kind === 'standardize');
  // A re-encoded copy of the images has a standard deviation up to 0.002 lower.
  for (const [c, mean] of [0.4914, 0.4822, 0.4465].entries()) {
    assert.ok(Math.abs(normalization.mean[c]! - mean) < 0.001, String(normalization.mean));
  }
  for (const [c, std] of [0.247, 0.2435, 0.2616].entries()) {
    assert.ok(Math.abs(normalization.std[c]! - std) < 0.003, String(normalization.std));
  }
});

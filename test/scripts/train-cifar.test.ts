/** `npm run train:cifar` as its users see it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTraining } from '../helpers/command.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const TINY = ['--data', 'synthetic', '--limit', '6', '--epochs', '1', '--batch-size', '4'];
const RECORD_BYTES = 3073;

/** Anything that moves a cursor or sets a colour; line feeds are all that plain text needs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

/** Runs the command with an output folder; its end, and result.json. */
async function trained(args: readonly string[], nodeArgs: readonly string[] = []) {
  const out = path.join(temporaryFolder(), 'made', 'for', 'it');
  const ended = await startTraining([...args, '--out', out], nodeArgs).ended;
  assert.equal(ended.code, 0, ended.stderr);
  return { ...ended, out, result: JSON.parse(readFileSync(path.join(out, 'result.json'), 'utf8')) };
}

describe('a run', () => {
  let hash = '';

  test('prints plain lines and fills its folder', async () => {
    const { stdout, stderr, result, out } = await trained([...TINY, '--threads', '2']);
    assert.match(stdout, /conv2d_5 \(conv2d\).*147,584/);
    assert.match(stdout, /Parameters: 558,186/);
    assert.match(
      stdout,
      /Data: +drawn images \(synthetic\)\n +6 for training, 6 for validation, 6 for the test/,
    );
    assert.match(stdout, /Engine: simd, 2 threads, Node \d+/);
    assert.match(stdout, /^Epoch 1\/1 - .*images\/s - loss: .* - val_accuracy: \d\.\d{4} - best$/m);
    assert.match(stdout, /^Test - loss: \d+\.\d{4} - accuracy: \d\.\d{4}$/m);
    assert.doesNotMatch(stdout, CONTROL);
    assert.equal(stderr, '');
    const { epochs, test: tested, weightsSha256, ...rest } = result;
    assert.deepEqual(rest, {
      model: 'cifarNotebook',
      parameters: 558_186,
      data: 'synthetic',
      engine: 'simd',
      threads: 2,
      seed: 21,
      numerics: 'fast',
      normalization: 'standardize',
      preset: 'notebook',
      augmentation: true,
      batchSize: 4,
      node: process.versions.node,
      end: 'finished',
      bestEpoch: 1,
      monitor: 'valAccuracy',
    });
    assert.deepEqual(readdirSync(out).sort(), [
      'best.safetensors',
      'checkpoints',
      'config.json',
      'metrics.csv',
      'metrics.jsonl',
      'model.safetensors',
      'report.html',
      'result.json',
    ]);
    const events = readFileSync(path.join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    const names = events.map((line) => JSON.parse(line).event).filter((event) => event !== 'steps');
    assert.deepEqual(names, ['begin', 'epoch', 'end', 'result']);
    assert.match(readFileSync(path.join(out, 'metrics.csv'), 'utf8'), /^epoch,loss,.*\n1,\d.*\n$/);
    const page = readFileSync(path.join(out, 'report.html'), 'utf8');
    assert.ok(page.includes(weightsSha256) && page.includes('Feature maps'));
    assert.equal(epochs.length, 1);
    const [{ epoch, ...numbers }] = epochs;
    assert.equal(epoch, 1);
    const figures = [
      'accuracy',
      'imagesPerSecond',
      'learningRate',
      'loss',
      'seconds',
      'valAccuracy',
      'valLoss',
    ];
    assert.deepEqual(Object.keys(numbers).sort(), figures);
    assert.deepEqual(Object.keys(tested).sort(), ['accuracy', 'loss']);
    for (const value of [...Object.values(numbers), ...Object.values(tested)])
      assert.ok(Number.isFinite(value));
    assert.match(weightsSha256, /^[0-9a-f]{64}$/);
    hash = weightsSha256;
  });

  test('gives the same weights with 1 thread, and in plain TypeScript', async () => {
    for (const options of [
      ['--threads', '1'],
      ['--threads', '2', '--engine', 'scalar'],
    ]) {
      assert.equal((await trained([...TINY, ...options])).result.weightsSha256, hash, options.join(' '));
    }
  });

  test('gives the same weights with 3 threads where every native package is missing', async () => {
    const hook = fileURLToPath(new URL('../helpers/without-native.mjs', import.meta.url));
    const { result } = await trained([...TINY, '--threads', '3'], ['--import', hook]);
    assert.equal(result.weightsSha256, hash);
  });

  test('without network says so loudly and trains on drawn images', async () => {
    const { stderr, result } = await trained([...TINY.slice(2), '--threads', '1']);
    assert.match(stderr, /!{40}\nCIFAR-10 could not be downloaded from http:\/\/127\.0\.0\.1:9/);
    assert.match(stderr, /THESE ARE SYNTHETIC IMAGES/);
    assert.doesNotMatch(stderr, CONTROL);
    assert.equal(result.data, 'synthetic');
  });
});

describe('what cannot work ends with one readable paragraph', () => {
  /** The message of a run that fails. */
  async function failure(args: readonly string[], code: number): Promise<string> {
    const ended = await startTraining(['--out', temporaryFolder(), ...args]).ended;
    assert.equal(ended.code, code, ended.stdout + ended.stderr);
    assert.equal(ended.stdout, '');
    return ended.stderr.trim();
  }

  test('a folder that does not exist', async () => {
    const folder = path.join(temporaryFolder(), 'missing');
    const message = await failure(['--data', folder], 1);
    assert.match(message, /^cifar10: data: expected a folder with data_batch_1\.bin.*does not exist$/);
    assert.ok(message.includes(folder));
  });

  test('a truncated file is named, with the expected and the found size', async () => {
    const folder = temporaryFolder();
    for (const name of [
      'data_batch_1',
      'data_batch_2',
      'data_batch_3',
      'data_batch_4',
      'data_batch_5',
      'test_batch',
    ]) {
      const file = path.join(folder, `${name}.bin`);
      writeFileSync(file, '');
      truncateSync(file, 10_000 * RECORD_BYTES);
    }
    truncateSync(path.join(folder, 'data_batch_1.bin'), 12_345);
    const message = await failure(['--data', folder], 1);
    assert.doesNotMatch(message, /\n/);
    assert.ok(message.includes(path.join(folder, 'data_batch_1.bin')));
    assert.match(message, /expected 30730000 bytes.*got 12345 bytes/);
  });

  test('an output folder that cannot be made, before anything is trained', async () => {
    const file = path.join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    assert.match(
      await failure([...TINY, '--out', path.join(file, 'out')], 1),
      /^train:cifar: --out: expected a folder/,
    );
  });

  test('an unknown option, with code 2 and where the help is', async () => {
    const message = await failure(['--frobnicate'], 2);
    assert.match(message, /^train:cifar: options: .*'--frobnicate'.*--help shows all options\.$/);
  });
});

describe('options of fit', () => {
  test('end a run that gets no better, bring its best weights back, and are gone on with', async () => {
    const early = [
      '--optimizer',
      'sgd',
      '--learning-rate',
      '1e-9',
      '--early-stopping',
      '2',
      '--restore-best',
    ];
    const options = [...TINY, ...early, '--epochs', '9', '--class-weight', 'balanced', '--monitor', 'loss'];
    const { stdout, result } = await trained([...options, '--min-delta', '0.5', '--threads', '1']);
    assert.match(stdout, /^Stopped early: 2 epochs without a better loss\.$/m);
    assert.equal(result.end, 'stopped');
    assert.equal(result.epochs.length, 3);
  });

  test('--help is all that is printed', async () => {
    const { code, stdout, stderr } = await startTraining(['--help']).ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Trains a network on CIFAR-10\./);
    assert.match(stdout, /Exit codes: 0 done/);
    assert.equal(stderr, '');
  });
});

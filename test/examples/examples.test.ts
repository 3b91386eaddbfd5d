/** Every program in examples/ runs as its first comment says, on small data, and says what it is there to show. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../helpers/temporary.ts';

const FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));
const SMALL = ['--data', 'synthetic', '--limit', '40'];

interface Example {
  readonly args?: (out: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What must be printed. */
  readonly prints: readonly RegExp[];
  /** Files that must be written, below the folder `out`. */
  readonly writes?: readonly string[];
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  'cifar.ts': {
    args: () => ['20', '1'],
    env: { FALTUNG_CIFAR10_URL: 'http://127.0.0.1:9/none' },
    prints: [/THESE ARE SYNTHETIC IMAGES/, /The first test image: /],
  },
  'own-dataset.ts': { prints: [/epoch 3: loss 0\.\d+, right 0\.\d+/, /images\/s/] },
  'two-inputs.ts': {
    args: () => ['6'],
    prints: [
      /picture \(input\) +\[N, 16, 16, 3\]/,
      /epoch 6: kind 0\.\d+, (?:9\d|100)% right; place 0\.\d+, [01]\.\d\d pixels off/,
      /the red one: \w+ at row \d+\.\d, column .*the green one: /s,
    ],
  },
  'own-layer.ts': { prints: [/brightest \(globalMaxPooling2d\)/, /accuracy: 1 /] },
  'convolution-as-matrix.ts': {
    prints: [
      /2 3 5 0 0 0 +0 +-> 53\n {3}0 2 3 5 0 0 +1 +-> 532/,
      /the layer and K x: equal/,
      /conv2dTranspose's matrix and K\^T: equal/,
      /0 0 0 5 +-> 5000/,
    ],
  },
  'correlation-and-convolution.ts': {
    prints: [
      /Convolution with k, correlation with k turned: equal/,
      /image \* kernel and kernel \* image: equal/,
      /Correlation does not: different - swapped, it comes out turned: equal/,
      /Learned with correlation, 100% right.*Learned with convolution, 100% right/s,
      /one turned, differ by (?:0\.0e\+0|\d\.\de-(?:[5-9]|\d\d)) at most/,
    ],
  },
  'pooling-and-shifts.ts': { prints: [/no pooling +1\.00/, /max 8 x 8 +1\.00 +1\.00( +0\.\d\d){5} +144/] },
  'sparse-connections.ts': { prints: [/32 x 32 +1024 +1048576 +1,048,576 +9 +9,216 +\d+\.\d x/] },
  'kernel-gallery.ts': {
    args: (out) => [path.join(out, 'gallery.png')],
    prints: [/Written: /],
    writes: ['gallery.png'],
  },
  'notebook.ts': {
    args: (out) => [...SMALL, '--epochs', '1', '--out', out],
    prints: [
      /Training data shape : \[ 40, 32, 32, 3 \] \[ 40 \]/,
      /One hot encoded label: \[[01 ]{19}\]/,
      /training \[ 36, 32, 32, 3 \] validation \[ 4, 32, 32, 3 \]/,
      /Parameters: 558,186/,
      /Epoch 1\/1 - .* - val_acc: /,
      /rounded before the argmax: accuracy \d.*The argmax of the probabilities themselves: accuracy \d/s,
      /40 of 40 images \(100%\) got no class more than 50%/,
      /the same weights when read again/,
    ],
    writes: [
      'first-30-images.svg',
      'classes.svg',
      'training-curves.svg',
      'cifar10_cnn.safetensors',
      'feature-maps-conv2d_4.svg',
    ],
  },
  'vgg16.ts': {
    args: (out) => ['--size', '32', '--out', out, path.join(FOLDER, '../docs/kernel-gallery.png')],
    prints: [
      /Parameters: 138,357,544/,
      /kernel-gallery\.png: class \d+ \(0\.\d\d%\)/,
      /24 of 512 maps of 2 x 2/,
    ],
    writes: ['block5_conv1.svg'],
  },
};

/** Programs with a test of their own, and what programs share. */
const OTHERS = ['server.ts', 'drawing.ts'];

/** Starts an example in an empty folder, where no network can be reached. */
function start(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const home = temporaryFolder();
  const { CIFAR10_DIR: _, NODE_OPTIONS: __, FORCE_COLOR: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [path.join(FOLDER, name), ...args], {
    cwd: home,
    env: { ...inherited, HOME: home, XDG_CACHE_HOME: path.join(home, 'cache'), NO_COLOR: '1', ...env },
    timeout: 60_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const printed = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output);
        if (found !== null) resolve(found);
      };
      child.stdout.on('data', look);
      child.on('close', () => reject(new Error(`ended without ${pattern}: ${output}`)));
      look();
    });
  return { child, ended, printed, output: () => output };
}

describe('examples', { concurrency: 2 }, () => {
  for (const [name, { args, env, prints, writes = [] }] of Object.entries(EXAMPLES)) {
    test(name, async () => {
      const out = temporaryFolder();
      const { ended, output } = start(name, args?.(out) ?? [], env);
      assert.equal(await ended, 0, output());
      for (const pattern of prints) assert.match(output(), pattern);
      for (const file of writes) assert.ok(existsSync(path.join(out, file)), `${file}: ${output()}`);
    });
  }

  test('server.ts trains, answers meanwhile, refuses what is no picture, and ends when told', async () => {
    const { child, ended, printed, output } = start('server.ts', [
      ...SMALL,
      '--port',
      '0',
      '--epochs',
      '500',
    ]);
    const address = (await printed(/Listening on (\S+)/))[1]!;
    const post = async (place: string, body: Uint8Array, type = 'application/octet-stream') => {
      const response = await fetch(address + place, {
        method: 'POST',
        headers: { 'Content-Type': type },
        body,
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    await printed(/epoch 1: validation accuracy/);
    const { status, body } = await post('/predict', new Uint8Array(3072));
    assert.equal(status, 200, output());
    const top = body.top as { class: string; probability: number }[];
    assert.equal(top.length, 3);
    assert.ok(top[0]!.probability >= top[1]!.probability);
    assert.ok((body.afterEpoch as number) >= 1);
    const answers = await Promise.all([1, 2, 3, 4].map(() => post('/predict', new Uint8Array(3072))));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 200, 200, 200],
    );
    assert.equal((await post('/predict', new Uint8Array(3071))).status, 400);
    assert.equal((await post('/predict', new Uint8Array(9e6))).status, 413);
    assert.match(String((await post('/predict', new Uint8Array(9), 'image/png')).body.error), /unsupported/);
    assert.equal((await fetch(`${address}/nothing`)).status, 404);
    const sentBy = (headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        get(`${address}/`, { headers }, (response) => resolve(response.resume().statusCode)).on(
          'error',
          reject,
        );
      });
    const senders: Record<string, string>[] = [
      { Host: 'evil.example' },
      { Host: '127.0.0.1.evil.example' },
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { Origin: address },
    ];
    assert.deepEqual(await Promise.all(senders.map(sentBy)), [403, 403, 403, 403, 200]);
    const during = (await (await fetch(address)).json()) as Record<string, unknown>;
    assert.equal(during.state, 'training');
    await post('/stop', new Uint8Array());
    for (let state = 'training'; state !== 'aborted'; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      state = ((await (await fetch(address)).json()) as { state: string }).state;
    }
    assert.equal((await post('/predict', new Uint8Array(3072))).status, 200);
    child.kill('SIGTERM');
    assert.equal(await ended, 0, output());
  });

  test('are all run here, and all in the index', () => {
    const files = globSync('*.ts', { cwd: FOLDER }).sort();
    assert.deepEqual([...Object.keys(EXAMPLES), ...OTHERS].sort(), files);
    const index = readFileSync(path.join(FOLDER, 'README.md'), 'utf8');
    for (const file of files) assert.ok(index.includes(`(${file})`), `${file} is not in examples/README.md`);
  });
});

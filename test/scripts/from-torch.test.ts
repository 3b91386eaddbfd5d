import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { functional, load, resNet18, torchModules } from '../../src/index.ts';
import { graphParameters } from '../../src/model/graph.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const folder = temporaryFolder();

function command(script: string, args: readonly string[]) {
  const file = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  return spawnSync(process.execPath, [file, ...args], { cwd: folder, encoding: 'utf8' });
}

/** A state_dict of torchvision's ResNet-18 of zeros, but for one weight. */
function stateOfResNet18(): string {
  const header: Record<string, unknown> = {};
  let offset = 0;
  for (const { name, spec } of graphParameters(functional(resNet18()).graph)) {
    const [layer, parameter] = name.split('/') as [string, string];
    const torch = {
      gamma: 'weight',
      beta: 'bias',
      movingMean: 'running_mean',
      movingVariance: 'running_var',
    };
    const shape = [...spec.shape];
    const theirs = shape.length === 4 ? [3, 2, 0, 1].map((axis) => shape[axis]!) : shape.reverse();
    const bytes = 4 * theirs.reduce((product, extent) => product * extent, 1);
    const key = `${torchModules.resNet18(layer)}.${torch[parameter as keyof typeof torch] ?? parameter}`;
    header[key] = { dtype: 'F32', shape: theirs, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Buffer.alloc(offset);
  // conv1.weight [64, 3, 7, 7] is the first: filter 0, channel 0, row 0, column 1.
  data.writeFloatLE(2.5, 4);
  const file = path.join(folder, 'state.safetensors');
  writeFileSync(file, Buffer.concat([length, text, data]));
  return file;
}

test('from:torch makes a file that load reads, of torchvision’s names and layouts', async () => {
  const { status, stdout, stderr } = command('from-torch.ts', ['resnet18', stateOfResNet18()]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'Written: resNet18.safetensors\n');
  await using model = await load(path.join(folder, 'resNet18.safetensors'));
  const { data, shape } = model.getWeights()['conv1_conv/weight']!;
  assert.deepEqual(shape, [7, 7, 3, 64]);
  assert.equal(data[1 * 3 * 64], 2.5);
});

test('from:torch says what is wrong and how it is used, by exit codes too', () => {
  const wrong = command('from-torch.ts', ['lenet5', 'x.safetensors']);
  assert.deepEqual([wrong.status, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /from:torch: NETWORK: expected one of vgg16, .*, got "lenet5"/);
  const missing = command('from-torch.ts', ['vgg16', 'none.safetensors']);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /none\.safetensors/);
  assert.equal(command('from-torch.ts', ['vgg16']).status, 2);
  assert.equal(command('from-torch.ts', ['vgg16', 'x', '--what']).status, 2);
  const help = command('from-torch.ts', ['--help']);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^npm run from:torch -- NETWORK STATE/);
});

test('against:torch refuses unknown networks, and a Python without PyTorch by name', () => {
  const unknown = command('against-torch.ts', ['alexNet']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /against:torch: NETWORK: expected one of vgg16, .*, got alexNet/);
  const python = command('against-torch.ts', ['resnet50', '--python', process.execPath]);
  assert.equal(python.status, 2);
  assert.match(python.stderr, /--python: expected a Python that can import torch/);
  assert.match(command('against-torch.ts', ['--help']).stdout, /Exit codes: 0 as close as that/);
});

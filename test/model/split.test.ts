import assert from 'node:assert/strict';
import test from 'node:test';
import { families } from '../../src/kernels/index.ts';
import { heapOf, isBuffer, type KernelSpec } from '../../src/kernels/kernel.ts';
import type { Operand, PlannedCall } from '../../src/layers/layer.ts';
import { plainBuffer, refTo } from '../../src/model/buffers.ts';
import { splitCall } from '../../src/model/split.ts';
import { convGeometry } from '../../src/tensor/convolution.ts';
import { denseView, type View } from '../../src/tensor/view.ts';
import { randomNormals } from '../helpers/arbitraries.ts';

/** A large image, wide of channels so that few rows are much work; one view has a halo, one lies in a larger image. */
const plain = denseView(24, 40, 1500);
const haloed = denseView(24, 40, 1500, 1);
const slice = { ...denseView(24, 40, 1600), channels: 1500 };

const numbers = { depthRadius: 1, bias: 1, alpha: 0.5, beta: 0.75 };
const SPECS: readonly (KernelSpec & Record<string, unknown>)[] = [
  { kind: 'activationForward', function: 'relu6', alpha: 1, input: haloed, output: slice },
  { kind: 'averageViews', inputs: [plain, haloed, slice], divisor: 3, output: plain, accumulate: false },
  { kind: 'batchNormForward', input: slice, output: haloed, center: true, groups: 1, groupSize: 1 },
  { kind: 'batchNormForward', input: plain, output: slice, center: false, groups: 1, groupSize: 1 },
  { kind: 'copyView', input: haloed, output: plain, accumulate: true },
  {
    kind: 'layerNormForward',
    input: plain,
    output: slice,
    over: 'channels',
    epsilon: 1e-3,
    scale: true,
    center: true,
  },
  { kind: 'localResponseForward', ...numbers, input: haloed, output: plain },
  { kind: 'maximumViews', inputs: [haloed, slice], output: plain },
  { kind: 'multiplyViews', inputs: [slice, haloed], output: haloed, accumulate: false },
];

/** Convolutions with more weights than pixels: outputs are no multiple of a panel. */
const pixels = denseView(8, 8, 24, 1);
const shown = {
  geometry: convGeometry('test', [8, 8, 24], { filters: 300, kernelSize: 3, padding: 'same' }),
};
const outputs = { ...denseView(8, 8, 320), channels: 300 };
const convolution = { ...shown, input: pixels, output: outputs, activation: 'relu' } as const;
const CONVOLUTIONS: readonly (KernelSpec & Record<string, unknown>)[] = [
  { kind: 'conv2dForward', ...convolution, bias: true },
  { kind: 'conv2dForward', ...convolution, bias: false, accumulate: true },
  { kind: 'winogradForward', ...convolution, bias: true, outputTile: 2 },
  { kind: 'winogradForward', ...convolution, bias: false, outputTile: 4 },
];

for (const spec of [...SPECS, ...CONVOLUTIONS]) {
  test(`${spec.kind}: bands of an image together are the image, bit for bit`, () => {
    const args = families[spec.kind]!.args(spec);
    const addresses = new Map<string, number>();
    let end = 64;
    const operands = args.map((arg): Operand => {
      if (!isBuffer(arg)) return arg.access === 'count' ? 'count' : 0;
      const lead = arg.lead ?? 0;
      addresses.set(arg.name, end + 4 * lead);
      end += Math.ceil((4 * lead + (arg.type === 'f64' ? 8 : 4) * arg.length(1)) / 64) * 64 + 64;
      return refTo(plainBuffer(arg.name, 'batch', { fixedBytes: 0 }));
    });
    const run = (calls: readonly PlannedCall[]): Float32Array => {
      const heap = heapOf(new ArrayBuffer(end));
      heap.f32.set(randomNormals(5, 4096).map(Math.abs));
      for (let i = 4096; i < heap.f32.length; i += 4096) heap.f32.copyWithin(i, i - 4095, i);
      for (const call of calls) {
        const values = call.operands.map((operand) => {
          if (operand === 'count') return 1;
          if (typeof operand !== 'object') return operand as number;
          return addresses.get(operand.buffer.name)! + operand.offsetBytes;
        });
        families[call.spec.kind]!.bind(call.spec, heap)(...values);
      }
      // What a kernel works in means nothing afterwards.
      const scratch = args.find((arg) => arg.access === 'scratch');
      if (scratch !== undefined && isBuffer(scratch)) {
        const at = addresses.get(scratch.name)!;
        heap.u8.fill(0, at, at + 8 * scratch.length(1));
      }
      return heap.f32;
    };
    const whole: PlannedCall = { spec, operands };
    // Cut as four samples are, run on one.
    const bands = splitCall(whole, 4);
    assert.ok(bands.length > 1, 'the image is cut');
    const isByOutputs = CONVOLUTIONS.includes(spec);
    assert.equal((bands[0]!.spec as KernelSpec & { output: View }).output.height === 8, isByOutputs);
    const [expected, actual] = [run([whole]), run(bands)];
    assert.ok(Buffer.from(expected.buffer).equals(Buffer.from(actual.buffer)), spec.kind);
  });
}

test('an image that is normalised as a whole is not cut', () => {
  const spec = {
    kind: 'layerNormForward',
    input: plain,
    output: plain,
    over: 'image',
    epsilon: 1e-3,
    scale: false,
    center: false,
  };
  const operands = ['input', 'statistics', 'output'].map((name) => refTo(plainBuffer(name, 'batch', {})));
  assert.equal(splitCall({ spec, operands: [...operands, 'count'] }, 1).length, 1);
});

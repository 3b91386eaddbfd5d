/** Modules of 128-bit and 256-bit code, and when which is used. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { KernelSpec } from '../../src/kernels/kernel.ts';
import { canCompileWide, compileKernels } from '../../src/parallel/compile.ts';
import { denseView } from '../../src/tensor/view.ts';

/** Specs that no other test of this file has, so that none is known to the check already. */
function reluSpecs(channels: number): KernelSpec[] {
  const view = denseView(4, 4, channels);
  return (['relu', 'sigmoid', 'leakyRelu'] as const).map(
    (name) =>
      ({ kind: 'activationForward', function: name, alpha: 1, input: view, output: view }) as KernelSpec,
  );
}

const skip = canCompileWide() ? false : 'this process has no 256-bit code';

test('256-bit code is used where the process has it and the caller allows it', () => {
  assert.equal(compileKernels(reluSpecs(3), true).wide, canCompileWide());
  assert.equal(compileKernels(reluSpecs(3), false).wide, false);
});

test('modules of different width never have equal bytes, so V8 cannot confuse their machine code', {
  skip,
}, () => {
  // Nothing in this module depends on the width.
  const specs = [{ kind: 'fill', value: 2 } as KernelSpec];
  const marks = [true, false].map((wide) => {
    const { module } = compileKernels(specs, wide);
    const sections = (
      WebAssembly.Module as unknown as { customSections(m: unknown, name: string): ArrayBuffer[] }
    ).customSections(module, 'faltung');
    return sections.map((section) => Buffer.from(section).toString().slice(1));
  });
  assert.deepEqual(marks, [['256 bits'], ['128 bits']]);
});

test('each spec is checked once a process', { skip }, () => {
  let checks = 0;
  const count = () => {
    checks += 1;
    return true;
  };
  compileKernels(reluSpecs(5), true, count);
  assert.equal(checks, 3);
  compileKernels([...reluSpecs(5), ...reluSpecs(6)], true, count);
  assert.equal(checks, 6);
});

test('where a kernel differs, its modules do without 256-bit code from then on, with a warning', {
  skip,
}, async () => {
  const warned = once(process, 'warning');
  const refuse = (trial: { spec: KernelSpec }) =>
    (trial.spec as unknown as { function: string }).function !== 'leakyRelu';
  assert.equal(compileKernels(reluSpecs(7), true, refuse).wide, false);
  const [warning] = (await warned) as [Error];
  assert.match(warning.message, /128-bit code.*activationForward/);
  assert.equal(compileKernels(reluSpecs(7), true).wide, false);
  assert.equal(compileKernels(reluSpecs(7).slice(0, 2), true).wide, true);
  assert.equal(compileKernels(reluSpecs(8), true).wide, true);
});

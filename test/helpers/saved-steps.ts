/** Checkpoints whose content is a function of their step: whoever reads one knows whether it is what was written. */
import assert from 'node:assert/strict';
import { withNewestCheckpoint } from '../../src/io/checkpoint-folder.ts';
import type { FileSystem } from '../../src/io/file-system.ts';
import { type NamedTensor, readTensorInto } from '../../src/io/safetensors-file.ts';

/** The tensors of a step, `elements` in all. */
export function tensorsOf(step: number, elements: number): NamedTensor[] {
  const first = Math.max(1, elements >> 2);
  return [
    { name: 'small', shape: [first], data: valuesOf(step, 0, first) },
    { name: 'large', shape: [elements - first], data: valuesOf(step, 1, elements - first) },
  ];
}

export const metadataOf = (step: number): Map<string, string> => new Map([['step', String(step)]]);

/** The step of the newest checkpoint; 0 where there is none. Fails where it is damaged or not what was written. */
export async function newestStep(folder: string, files?: FileSystem): Promise<number> {
  const found = await withNewestCheckpoint(
    'read',
    folder,
    (message) => assert.fail(message),
    async ({ file, step, opened, header }) => {
      assert.equal(header.metadata.get('step')?.text, String(step));
      for (const [index, name] of ['small', 'large'].entries()) {
        const entry = header.tensors.get(name)!;
        const data = new Float32Array(entry.shape[0]!);
        await readTensorInto('read', file, opened, entry, data);
        const expected = valuesOf(step, index, data.length);
        assert.ok(Buffer.from(data.buffer).equals(Buffer.from(expected.buffer)), `${name} of step ${step}`);
      }
      return step;
    },
    files,
  );
  return found ?? 0;
}

function valuesOf(step: number, index: number, length: number): Float32Array {
  const data = new Float32Array(length);
  let state = (step * 2 + index) | 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state;
  }
  return data;
}

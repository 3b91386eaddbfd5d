/** The SIMD twin of ../copy-view.ts: by runs as long as both views are without a gap. */
import { type CopyViewSpec, copyViewFamily } from '../copy-view.ts';
import { checkSameImages } from '../pixels.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { emitViewRuns, loadPart, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const copyViewTwin: SimdTwin<CopyViewSpec> = {
  kind: 'copyView',
  emit(spec) {
    checkSameImages('copyView', { input: spec.input, output: spec.output });
    const b = twinFunction(copyViewFamily, spec);
    emitCopy(b, spec);
    return b;
  },
};

/** Emits the copy, of elements that `change` makes something else of on the stack. */
export function emitCopy(
  b: FunctionBuilder,
  { input, output, accumulate }: Omit<CopyViewSpec, 'kind'>,
  change: () => void = () => {},
): void {
  const values = b.localArray('v128', 2, 'value');
  const origins = [b.param('input'), b.param('output')];
  emitViewRuns(b, [input, output], origins, b.param('count'), (parts, [from, to]) => {
    parts.forEach((part, i) => {
      loadPart(b, from!, part);
      change();
      b.set(values[i]!);
    });
    if (accumulate) {
      parts.forEach((part, i) => {
        loadPart(b, to!, part).get(values[i]!).op('f32x4.add').set(values[i]!);
      });
    }
    parts.forEach((part, i) => {
      storePart(b, to!, part, values[i]!);
    });
  });
}

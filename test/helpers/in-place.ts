/** A kernel family and its twin with two buffers made one: how a kernel is tried in place. */
import { isBuffer, type KernelFamily, type KernelSpec } from '../../src/kernels/kernel.ts';
import { type SimdTwin, twinFunction } from '../../src/kernels/simd/twin.ts';

/** `source` and `target` share a buffer, which goes by the name of `target`. Their views must be equal. */
export function inPlace<S extends KernelSpec>(
  family: KernelFamily<S>,
  twin: SimdTwin<S>,
  source: string,
  target: string,
): { family: KernelFamily<S>; twin: SimdTwin<S> } {
  const shared: KernelFamily<S> = {
    kind: family.kind,
    args: (spec) =>
      family
        .args(spec)
        .filter((arg) => arg.name !== source)
        .map((arg) => (arg.name === target && isBuffer(arg) ? { ...arg, access: 'inout' } : arg)),
    bind(spec, heap) {
      const kernel = family.bind(spec, heap);
      const names = shared.args(spec).map((arg) => arg.name);
      const places = family.args(spec).map(({ name }) => names.indexOf(name === source ? target : name));
      return (...args) => kernel(...places.map((place) => args[place]!));
    },
  };
  const sharedTwin: SimdTwin<S> = {
    kind: twin.kind,
    emit(spec, engine) {
      const inner = twin.emit(spec, engine);
      if (inner === undefined) return undefined;
      const b = twinFunction(shared, spec);
      for (const { name } of inner.params) b.get(b.param(name === source ? target : name));
      return b.call(inner);
    },
  };
  return { family: shared, twin: sharedTwin };
}

/** Gradient norms as a checkpoint keeps them: plain data, null for a norm that is not finite. */
import { ConfigError } from '../errors.ts';
import { isJsonObject, type Json } from '../io/json-value.ts';
import type { GradientNorm } from './charts/gradients.ts';

export function keptNorms(norms: readonly GradientNorm[]): Json {
  return norms.map(({ epoch, layer, norm }) => ({ epoch, layer, norm: Number.isFinite(norm) ? norm : null }));
}

/** What `keptNorms` kept. Throws ConfigError for anything else. */
export function readNorms(operation: string, data: Json | undefined): GradientNorm[] {
  return (Array.isArray(data) ? data : []).map((entry: Json) => {
    const { epoch, layer, norm } = isJsonObject(entry) ? entry : {};
    if (
      typeof epoch === 'number' &&
      typeof layer === 'string' &&
      (norm === null || typeof norm === 'number')
    ) {
      return { epoch, layer, norm: norm ?? Number.NaN };
    }
    throw new ConfigError({
      operation,
      argument: 'saved state',
      expected: 'norms by epoch and layer',
      received: JSON.stringify(entry).slice(0, 200),
    });
  });
}

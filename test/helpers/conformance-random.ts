/** A layer of the registry under random options: what the suite and the soak `gradients` try. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SEED } from './arbitraries.ts';
import { configurations } from './configurations/index.ts';
import { type Configuration, checkConformance } from './conformance.ts';
import { oracles } from './conformance-oracles.ts';

/** Configurations tried of each layer in the suite. */
export const CONFIGURATIONS = 200;

/** The random configurations of a layer. Throws, by its name, unless it has them and an oracle in f64. */
export function configurationsFor(
  type: string,
  all: Readonly<Record<string, fc.Arbitrary<Configuration>>> = configurations,
): fc.Arbitrary<Configuration> {
  const found = Object.hasOwn(all, type) ? all[type] : undefined;
  const [arbitrary, oracle] = ['test/helpers/configurations/index.ts', 'test/helpers/conformance-oracles.ts'];
  assert.ok(found !== undefined, `layer ${type} has no random configurations: ${arbitrary} lists them`);
  assert.ok(Object.hasOwn(oracles, type), `layer ${type} has no oracle in f64: ${oracle} lists them`);
  return found;
}

/** Throws unless the layer holds to everything under random options. Returns the largest error/bound. */
export function checkRandomConfigurations(
  type: string,
  all?: Parameters<typeof configurationsFor>[1],
): number {
  let worst = 0;
  const tried = fc.property(configurationsFor(type, all), (configuration) => {
    assert.equal(configuration.layer.type, type, 'the configurations are those of another layer');
    worst = Math.max(worst, checkConformance(configuration));
  });
  fc.assert(tried, { numRuns: CONFIGURATIONS, seed: SEED });
  return worst;
}

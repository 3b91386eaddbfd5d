import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dense, layers } from '../../src/layers/index.ts';
import { configurations } from '../helpers/configurations/index.ts';
import { CONFIGURATIONS, checkRandomConfigurations } from '../helpers/conformance-random.ts';

for (const type of Object.keys(layers)) {
  test(`${type} conforms under random options`, (t) => {
    const worst = checkRandomConfigurations(type);
    t.diagnostic(`${CONFIGURATIONS} configurations, largest error/bound ${worst.toFixed(4)}`);
  });
}

test('a layer without random configurations, or with those of another one, fails by its name', () => {
  assert.throws(() => checkRandomConfigurations('dense', {}), {
    message: 'layer dense has no random configurations: test/helpers/configurations/index.ts lists them',
  });
  const nameless = { own: fc.constant({ layer: dense({ units: 1 }), inputShape: [1], seed: 1 }) };
  assert.throws(() => checkRandomConfigurations('own', nameless), {
    message: 'layer own has no oracle in f64: test/helpers/conformance-oracles.ts lists them',
  });
  const { conv2d } = configurations;
  assert.throws(
    () => checkRandomConfigurations('dense', { dense: conv2d }),
    (error) => error instanceof Error && /those of another layer/.test(String(error.cause)),
  );
});

/** The SIMD channel sums equal the scalar kernel's bit for bit, for any layout and number of channels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { channelSum } from '../../../src/kernels/channel-sum.ts';
import { channelSumTwin } from '../../../src/kernels/simd/channel-sum.ts';
import { check, slacks, slackView } from '../../helpers/arbitraries.ts';
import { assertTwin } from '../../helpers/twin.ts';

const sums = fc.record({
  height: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 5 }),
  channels: fc.integer({ min: 1, max: 150 }),
  slack: slacks,
  accumulate: fc.boolean(),
  count: fc.nat(4),
  seed: fc.nat(),
  specials: fc.boolean(),
});

test('the SIMD sums over pixels equal the scalar ones bit for bit', () => {
  check(sums, 200, ({ height, width, channels, slack, accumulate, ...options }) => {
    const view = slackView(height, width, channels, 0, slack);
    const spec = { kind: 'channelSum', view, accumulate } as const;
    assert.ok(assertTwin(channelSum, channelSumTwin, spec, options));
  });
});

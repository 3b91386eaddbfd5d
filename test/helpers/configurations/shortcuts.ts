/** Random configurations of shortcuts without parameters. */
import fc from 'fast-check';
import { identityShortcut } from '../../../src/layers/index.ts';
import { configurationsOf, imageShapes } from './draw.ts';

const stride = fc.integer({ min: 1, max: 3 });

export const identityShortcutConfigurations = configurationsOf(
  fc.tuple(imageShapes, fc.nat(6), stride, stride),
  ([inputShape, added, sy, sx]) => ({
    layer: identityShortcut({ filters: inputShape.at(-1)! + added, strides: [sy, sx] }),
    inputShape,
  }),
);

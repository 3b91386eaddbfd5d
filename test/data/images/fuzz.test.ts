/** The first inputs of the soak that puts pictures under fire. */
import { test } from 'node:test';
import { fuzzImages } from '../../../scripts/soak/fuzz-images.ts';
import { soakBriefly } from '../../helpers/soak.ts';

test('changed pictures are pictures of their size or refused', (t) => soakBriefly(t, fuzzImages, 60));

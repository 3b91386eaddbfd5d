/** The first requests of the soak that puts the page's server under fire. */
import { test } from 'node:test';
import { fuzzUi } from '../../scripts/soak/fuzz-ui.ts';
import { soakBriefly } from '../helpers/soak.ts';

test('strange requests get a page, events or a refusal, and move nothing without the token', (t) =>
  soakBriefly(t, fuzzUi, 150));

/** The first inputs of the soaks that put files under fire. */
import { test } from 'node:test';
import { fuzzCheckpoint } from '../../scripts/soak/fuzz-checkpoint.ts';
import { fuzzConfig } from '../../scripts/soak/fuzz-config.ts';
import { fuzzModel } from '../../scripts/soak/fuzz-model.ts';
import { fuzzTorch } from '../../scripts/soak/fuzz-torch.ts';
import { soakBriefly } from '../helpers/soak.ts';

test('model files are read with the weights that they hold or refused', (t) =>
  soakBriefly(t, fuzzModel, 2000));

test('changed checkpoints are noticed, states of runs read or refused', (t) =>
  soakBriefly(t, fuzzCheckpoint, 2000));

test('state_dicts of PyTorch are read with the numbers that they hold or refused', (t) =>
  soakBriefly(t, fuzzTorch, 500));

test('configurations of runs are read or refused', (t) => soakBriefly(t, fuzzConfig, 1000));

/** The subjects of `npm run soak`: a new one is a file here and a line in this list. */
import { adjoint } from './adjoint.ts';
import { faults } from './faults.ts';
import { fuzzCheckpoint } from './fuzz-checkpoint.ts';
import { fuzzCifar } from './fuzz-cifar.ts';
import { fuzzConfig } from './fuzz-config.ts';
import { fuzzImages } from './fuzz-images.ts';
import { fuzzModel } from './fuzz-model.ts';
import { fuzzServer } from './fuzz-server.ts';
import { fuzzTar } from './fuzz-tar.ts';
import { fuzzTorch } from './fuzz-torch.ts';
import { fuzzUi } from './fuzz-ui.ts';
import { gradients } from './gradients.ts';
import { kill } from './kill.ts';
import { networks } from './networks.ts';
import { schedules } from './schedules.ts';
import type { Soak } from './soak.ts';
import { toeplitz } from './toeplitz.ts';
import { workers } from './workers.ts';

export const soaks: readonly Soak[] = [
  adjoint,
  faults,
  fuzzCheckpoint,
  fuzzCifar,
  fuzzConfig,
  fuzzImages,
  fuzzModel,
  fuzzServer,
  fuzzTar,
  fuzzTorch,
  fuzzUi,
  gradients,
  kill,
  networks,
  schedules,
  toeplitz,
  workers,
];

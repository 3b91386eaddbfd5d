/** The systems that are compared, and how each is started: adding one is an entry here and a script beside this. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { InferenceFigures, InferenceRequest } from '../children/inference.ts';
import { runChild, runJson } from '../children/spawn.ts';
import type { TrainingFigures, TrainingRequest } from '../children/training.ts';
import type { NetworkName } from '../networks.ts';
import type { PeerFigures, PeerRequest, Task } from './peer.ts';
import { imageCount } from './workload.ts';

export interface System {
  /** For --only and the JSON file. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly tasks: readonly Task[];
  /** Systems of the same group are one at different settings: the best of them counts. */
  readonly group?: string;
  /** So slow that batches of these sizes have to do, measured in the first round only. */
  readonly slow?: Readonly<Record<Task, number>>;
  /** Those that it can run; default: all. */
  readonly networks?: readonly NetworkName[];
  run(request: PeerRequest, network: NetworkName, data: string): Promise<Answer>;
}

/** Faltung has no version to tell here and no need to show that its network is its own. */
export type Answer = Pick<PeerFigures, 'imagesPerSecond' | 'peakBytes' | 'imageBytes'> &
  Partial<Pick<PeerFigures, 'version' | 'probabilities'>>;

const BOTH: readonly Task[] = ['training', 'inference'];
/** Systems whose scripts have the notebook network's layers written out. */
const NOTEBOOK: readonly NetworkName[] = ['cifarNotebook'];

/** Memory that malloc keeps between steps: otherwise page faults halve PyTorch's rate (measured). */
const TUNED_MALLOC = {
  MALLOC_MMAP_THRESHOLD_: '4000000000',
  MALLOC_TRIM_THRESHOLD_: '8000000000',
  MALLOC_TOP_PAD_: '268435456',
} as const;

/** All systems; `python` runs PyTorch, which is left out where it is undefined. */
export function listSystems(python: string | undefined): System[] {
  const torch: System[] =
    python === undefined
      ? []
      : [
          pytorch(python, 'torch-channels-last', 'PyTorch tuned, channels last', 'channels_last', true),
          pytorch(python, 'torch-contiguous', 'PyTorch tuned, contiguous', 'contiguous', true),
          {
            ...pytorch(python, 'torch-frozen', 'PyTorch tuned, frozen', 'frozen', true),
            tasks: ['inference'],
          },
          pytorch(python, 'torch-plain', 'PyTorch as installed', 'contiguous', false),
        ];
  return [
    { name: 'faltung', title: 'Faltung', tasks: BOTH, run: runFaltung },
    ...torch,
    script('onnxruntime-node', 'ONNX Runtime, native', 'onnxruntime.ts', 'node', ['inference']),
    script('onnxruntime-web', 'ONNX Runtime Web', 'onnxruntime.ts', 'web', ['inference']),
    {
      ...script('tfjs-wasm', 'TensorFlow.js, wasm', 'tensorflow.ts', 'wasm', BOTH),
      networks: NOTEBOOK,
    },
    {
      ...script('tfjs-cpu', 'TensorFlow.js, cpu', 'tensorflow.ts', 'cpu', BOTH),
      networks: NOTEBOOK,
      slow: { training: 1, inference: 4 },
    },
    {
      ...script('convnetjs', 'ConvNetJS', 'convnet.ts', '', BOTH),
      networks: NOTEBOOK,
      slow: { training: 4, inference: 8 },
    },
  ];
}

/** Standardised bytes without augmentation, which is what the others do too. */
async function runFaltung(request: PeerRequest, network: NetworkName, data: string): Promise<Answer> {
  const { task, batchSize, threads, warmSeconds, seconds } = request;
  const common = { network, data, batchSize, threads, seconds };
  if (task === 'inference') {
    const inference: InferenceRequest = { ...common, stream: false };
    return { ...(await runChild<InferenceFigures>('inference.ts', inference)), imageBytes: 0 };
  }
  const training: TrainingRequest = { ...common, images: imageCount(network), augment: false, warmSeconds };
  return runChild<TrainingFigures>('training.ts', training);
}

function script(name: string, title: string, file: string, variant: string, tasks: readonly Task[]): System {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const run = (request: PeerRequest) =>
    runJson<PeerFigures>(process.execPath, [path, JSON.stringify({ ...request, variant })]);
  return { name, title, tasks, run };
}

function pytorch(python: string, name: string, title: string, variant: string, tuned: boolean): System {
  const path = fileURLToPath(new URL('torch_network.py', import.meta.url));
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('OPENBLAS_'));
  const env = tuned ? { ...Object.fromEntries(inherited), ...TUNED_MALLOC } : process.env;
  const run = (request: PeerRequest) =>
    runJson<PeerFigures>(python, ['-B', path, JSON.stringify({ ...request, variant })], { env });
  return { name, title, tasks: BOTH, ...(tuned && { group: 'PyTorch tuned' }), run };
}

/** A Python that has PyTorch: the one asked for, else the first on the usual names that has. */
export function findPython(wanted: string | undefined): string | undefined {
  const candidates = wanted === undefined ? ['python3', '/usr/bin/python3'] : [wanted];
  return candidates.find(
    (python) => spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore' }).status === 0,
  );
}

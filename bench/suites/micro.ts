/** The machine's limits: the micro-kernel's rate tile by tile, and how fast bytes move from each level of memory. */
import type { CopyViewSpec } from '../../src/kernels/copy-view.ts';
import { denseView } from '../../src/tensor/view.ts';
import { compileTiles } from '../micro-kernel.ts';
import { createSandbox } from '../sandbox.ts';
import type { Context, Suite } from '../suite.ts';
import { digits, formatTable, percent } from '../table.ts';
import { timeTasks } from '../timing.ts';

export interface TileRow {
  readonly tile: string;
  readonly bits: 128 | 256;
  readonly gflops: number;
  /** To the best tile. */
  readonly ratio: number;
}

export interface CopyRow {
  readonly level: string;
  /** Bytes read and written. */
  readonly workingSetBytes: number;
  /** Bytes read plus bytes written, in 10^9 a second. */
  readonly gigabytesPerSecond: number;
}

export interface MicroResult {
  readonly tiles: readonly TileRow[];
  readonly copies: readonly CopyRow[];
}

/** Bytes of one side of a copy that stays in a level of the cache, or does not. */
const COPIES = [
  ['L1 cache', 8 * 1024],
  ['L2 cache', 128 * 1024],
  ['memory', 128 * 1024 * 1024],
] as const;

/** Small copies are repeated until the clock's own cost does not count. */
const BYTES_A_RUN = 2 ** 22;

function run({ effort, progress }: Context): MicroResult {
  progress('micro-kernel');
  const kernels = compileTiles();
  const label = (name: string, bits: number) => `${name} ${bits}`;
  const timings = timeTasks(
    Object.fromEntries(kernels.map(({ name, bits, run }) => [label(name, bits), run])),
    effort,
  );
  const rates = kernels.map(({ name, bits, flops }) => ({
    tile: name,
    bits,
    gflops: flops / timings.get(label(name, bits))!.seconds / 1e9,
  }));
  const best = Math.max(...rates.map(({ gflops }) => gflops));
  const copies = COPIES.map(([level, bytes]) => {
    progress(`copies in ${level}`);
    // Images that all lie in the same place: the kernel itself copies again and again.
    const view = { ...denseView(1, 1, bytes / 4), imageStride: 0 };
    const times = Math.ceil(BYTES_A_RUN / bytes);
    const spec: CopyViewSpec = { kind: 'copyView', input: view, output: view, accumulate: false };
    const { heap, kernels } = createSandbox([spec], times);
    heap.f32.fill(1);
    const { seconds } = timeTasks({ copy: kernels[0]!.run }, effort).get('copy')!;
    return { level, workingSetBytes: 2 * bytes, gigabytesPerSecond: (2 * bytes * times) / seconds / 1e9 };
  });
  return { tiles: rates.map((rate) => ({ ...rate, ratio: rate.gflops / best })), copies };
}

function format({ tiles, copies }: MicroResult): string {
  const tileTable = formatTable<TileRow>(
    [
      { title: 'tile', text: ({ tile }) => tile, align: 'left' },
      { title: 'code', text: ({ bits }) => `${bits} bit` },
      { title: 'GFLOP/s', text: ({ gflops }) => digits(gflops) },
      { title: 'of the best', text: ({ ratio }) => percent(ratio) },
    ],
    tiles,
  );
  const copyTable = formatTable<CopyRow>(
    [
      { title: 'copy within', text: ({ level }) => level, align: 'left' },
      { title: 'KiB', text: ({ workingSetBytes }) => String(workingSetBytes / 1024) },
      { title: 'GB/s read + written', text: ({ gigabytesPerSecond }) => digits(gigabytesPerSecond) },
    ],
    copies,
  );
  return `${tileTable}\n\n${copyTable}`;
}

export const micro: Suite<MicroResult> = {
  name: 'micro',
  title: "The micro-kernel's rate (one core, operands in the first-level cache), and copies",
  run,
  format,
};

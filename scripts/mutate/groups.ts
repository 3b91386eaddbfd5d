/** What is mutated: the code whose mistakes would be silent. */
import { matchesGlob } from 'node:path';

export interface Group {
  readonly name: string;
  readonly globs: readonly string[];
}

/** A file belongs to the first group that names it. */
export const groups: readonly Group[] = [
  {
    name: 'updates',
    globs: [
      'src/kernels/{reduce-shards,channel-sum,sgd,adam}*.ts',
      'src/kernels/simd/{reduce-shards,channel-sum,sgd,adam}*.ts',
      'src/training/optimizers.ts',
    ],
  },
  { name: 'emitters', globs: ['src/kernels/simd/**/*.ts'] },
  { name: 'scalar kernels', globs: ['src/kernels/*.ts'] },
  {
    name: 'parsers',
    globs: ['src/data/{cifar10-format,cifar10-read,untar,http-range}.ts', 'src/io/**/*.ts'],
  },
];

/** The group of a file; undefined where it is not mutated. */
export function groupOf(file: string): string | undefined {
  return groups.find(({ globs }) => globs.some((glob) => matchesGlob(file, glob)))?.name;
}

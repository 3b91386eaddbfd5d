/** What the comparison prints: rates and ratios, a line a system. */
import type { NetworkName } from '../networks.ts';
import { type Column, digits, formatTable, times } from '../table.ts';
import type { Task } from './peer.ts';

/** One system at one measurement. */
export interface PeerRow {
  readonly network: NetworkName;
  readonly system: string;
  readonly title: string;
  /** Systems of one group are one system at different settings. */
  readonly group: string | undefined;
  readonly task: Task;
  readonly batchSize: number;
  /** Smaller for systems that would take minutes for a batch. */
  readonly measuredBatchSize: number;
  /** Images a second, round by round, and their median. */
  readonly rates: number[];
  imagesPerSecond: number;
  /** Largest resident set less the images as the system keeps them. */
  peakBytes: number;
  version: string | undefined;
  /** Largest difference of its probabilities from Faltung's. */
  deviation: number | undefined;
  /** Why there is no figure. */
  failure: string | undefined;
}

/** Images a second, and the peak memory of training, by system; rows of one network. */
export function formatRates(rows: readonly PeerRow[]): string {
  const rate = (row: PeerRow | undefined) => {
    if (row === undefined || Number.isNaN(row.imagesPerSecond) || row.failure !== undefined) return '-';
    return `${digits(row.imagesPerSecond)}${row.measuredBatchSize < row.batchSize ? '*' : ''}`;
  };
  const trains = rows.some(({ task, batchSize }) => task === 'training' && batchSize === 128);
  const peak: Column<readonly PeerRow[]> = {
    title: 'peak MB, 128',
    text: (own) => megabytes(at(own, 'training', 128)),
  };
  const table = bySystem(rows, rate, [
    ...(trains ? [peak] : []),
    { title: 'version', text: (own) => own.find(({ version }) => version)?.version ?? '' },
  ]);
  const notes = rows.some((row) => row.measuredBatchSize < row.batchSize)
    ? ['* measured on smaller batches']
    : [];
  const failures = rows
    .filter(({ failure }) => failure !== undefined && failure !== 'does not train')
    .map((row) => `${row.title}, ${row.task}, batch ${row.batchSize}: ${shorten(row.failure!)}`);
  return [table, ...notes, ...failures].join('\n');
}

/** Faltung's rate over each system's; of a group the best. */
export function formatRatios(rows: readonly PeerRow[]): string {
  const own = rows.filter(({ system }) => system === 'faltung');
  const others = mergeGroups(rows.filter(({ system }) => system !== 'faltung'));
  const ratio = (row: PeerRow | undefined) => {
    const mine = row && at(own, row.task, row.batchSize)?.imagesPerSecond;
    if (mine === undefined || row?.failure !== undefined) return '-';
    return times(mine / row!.imagesPerSecond);
  };
  return bySystem(others, ratio, []);
}

/** Rows of a group become one, with the best rate at each measurement. */
export function mergeGroups(rows: readonly PeerRow[]): PeerRow[] {
  const best = new Map<string, PeerRow>();
  for (const row of rows) {
    const { group } = row;
    const key = `${group ?? row.system} ${row.task} ${row.batchSize}`;
    const known = best.get(key);
    const candidate = group === undefined ? row : { ...row, system: group, title: group };
    const isBetter =
      known === undefined ||
      Number.isNaN(known.imagesPerSecond) ||
      row.imagesPerSecond > known.imagesPerSecond;
    if (isBetter) best.set(key, candidate);
  }
  return [...best.values()];
}

function bySystem(
  rows: readonly PeerRow[],
  text: (row: PeerRow | undefined) => string,
  more: readonly Column<readonly PeerRow[]>[],
): string {
  const systems = [...new Set(rows.map(({ system }) => system))];
  const measurements = rows.filter(({ system }) => system === systems[0]);
  const columns: Column<readonly PeerRow[]>[] = [
    { title: 'system', text: (own) => own[0]!.title, align: 'left' },
    ...measurements.map(({ task, batchSize }) => ({
      title: `${task} ${batchSize}`,
      text: (own: readonly PeerRow[]) => text(at(own, task, batchSize)),
    })),
    ...more,
  ];
  return formatTable(
    columns,
    systems.map((name) => rows.filter(({ system }) => system === name)),
  );
}

function at(rows: readonly PeerRow[], task: Task, batchSize: number): PeerRow | undefined {
  return rows.find((row) => row.task === task && row.batchSize === batchSize);
}

function megabytes(row: PeerRow | undefined): string {
  return row === undefined || Number.isNaN(row.peakBytes) ? '-' : (row.peakBytes / 1e6).toFixed(0);
}

function shorten(text: string): string {
  const line = text.split('\n').findLast((part) => /error/i.test(part)) ?? text.split('\n')[0]!;
  return line.length > 140 ? `${line.slice(0, 137)}...` : line;
}

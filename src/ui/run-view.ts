/** What the page shows of a run: plain data that is sent to browsers, and how it grows. */
import type { EpochRecord, StepProgress } from '../training/history.ts';

/** 'running' and 'paused' are of a run under way; 'aborted': stopped and saved, may be gone on with. */
export type RunStatus =
  | 'waiting'
  | 'running'
  | 'paused'
  | 'stopping'
  | 'finished'
  | 'stopped'
  | 'aborted'
  | 'failed';

/** Means over the steps since the point before it. `epoch` is a fraction: 1.5 is in the middle of the second one. */
export interface RunPoint {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
}

/** A picture of the page: a PNG as a data URI, and what stands below it. */
export interface UiPicture {
  readonly image?: string;
  readonly caption?: readonly string[];
  /** Of predictions: whether the answer is right. */
  readonly right?: boolean;
}

/** Pictures as of a place in the run. */
export interface UiPictures {
  readonly title: string;
  /** Epochs done, as a fraction. */
  readonly epoch: number;
  readonly pictures: readonly UiPicture[];
}

/** All of it, as a browser gets it that connects. */
export interface RunView {
  readonly title: string;
  readonly status: RunStatus;
  /** How to go on, or what went wrong. */
  readonly message?: string;
  /** Whether whoever has the token may pause and stop it. */
  readonly controllable: boolean;
  /** Epochs of the run; 0: not known yet. */
  readonly epochs: number;
  readonly progress?: StepProgress;
  readonly records: readonly EpochRecord[];
  readonly points: readonly RunPoint[];
  readonly samples?: UiPictures;
  readonly filters?: UiPictures;
}

/** A part of the view, or all, that is new. */
export type ViewChange = Partial<RunView> & { readonly point?: RunPoint; readonly record?: EpochRecord };

/** More points than so are halved: a page shows no more. */
const MOST_POINTS = 2000;

/** The view after a change. Records of epochs that are run again replace the older ones and all that came after. */
export function changedView(view: RunView, { point, record, ...rest }: ViewChange): RunView {
  let { points, records } = { ...view, ...rest };
  if (point !== undefined) points = thinned([...points.filter(({ epoch }) => epoch < point.epoch), point]);
  if (record !== undefined) {
    records = [...records.filter(({ epoch }) => epoch < record.epoch), record];
  }
  return { ...view, ...rest, points, records };
}

/** Every two neighbours become one where there are too many. */
function thinned(points: readonly RunPoint[]): readonly RunPoint[] {
  if (points.length <= MOST_POINTS) return points;
  const halves: RunPoint[] = [];
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [a, b] = [points[i]!, points[i + 1]!];
    const mean = (name: Exclude<keyof RunPoint, 'epoch'>) => (a[name] + b[name]) / 2;
    halves.push({
      epoch: b.epoch,
      loss: mean('loss'),
      accuracy: mean('accuracy'),
      imagesPerSecond: mean('imagesPerSecond'),
    });
  }
  return points.length % 2 === 0 ? halves : [...halves, points.at(-1)!];
}

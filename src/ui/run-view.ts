/** What the page shows of a run: plain data that is sent to browsers, and how it grows. */
import type { EpochRecord, StepProgress } from '../training/history.ts';

/**
 * 'running' and 'paused' are of a run under way; 'aborted': stopped and saved, may be gone on with; 'silent': it ended
 * without a word, or hangs.
 */
export type RunStatus =
  | 'waiting'
  | 'running'
  | 'paused'
  | 'stopping'
  | 'finished'
  | 'stopped'
  | 'aborted'
  | 'failed'
  | 'silent';

/** Means over the steps since the point before it. `epoch` is a fraction: 1.5 is in the middle of the second one. */
export interface RunPoint {
  readonly epoch: number;
  readonly loss: number;
  /** 0 to 1; NaN for numbers. */
  readonly accuracy: number;
  /** Counted between the two points. */
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
  /** What they are. */
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
  /** The last step that was told of. */
  readonly progress?: StepProgress;
  /** Finished epochs; of very many some are left out. */
  readonly records: readonly EpochRecord[];
  /** Points of the curves within epochs, a few a second. */
  readonly points: readonly RunPoint[];
  /** Samples with the model's answers. */
  readonly samples?: UiPictures;
  /** Weights of the first convolution. */
  readonly filters?: UiPictures;
}

/** What is new: points and records come after those that there are, everything else takes the place of what was. */
export type ViewChange = Partial<RunView>;

/** Longer lists are thinned out: a page shows no more, and a run may have very many short epochs. */
const MOST = 2000;

/**
 * The view after a change. What is run again (after a resume) takes the place of what was run before, and of all that
 * came after it.
 */
export function changedView(view: RunView, change: ViewChange): RunView {
  const { points = [], records = [] } = change;
  return {
    ...view,
    ...change,
    points: thinned(followed(view.points, points), meanPoint),
    records: thinned(followed(view.records, records), betterRecord),
  };
}

/** Both changes in one, the second after the first. */
export function mergedChanges(first: ViewChange, second: ViewChange): ViewChange {
  return {
    ...first,
    ...second,
    points: followed(first.points ?? [], second.points ?? []),
    records: followed(first.records ?? [], second.records ?? []),
  };
}

function followed<T extends { readonly epoch: number }>(
  list: readonly T[],
  added: readonly T[],
): readonly T[] {
  const [first] = added;
  return first === undefined ? list : [...list.filter(({ epoch }) => epoch < first.epoch), ...added];
}

/** Every two neighbours become one while there are too many; the last stays. */
function thinned<T>(list: readonly T[], join: (a: T, b: T) => T): readonly T[] {
  let rest = list;
  while (rest.length > MOST) {
    const joined: T[] = [];
    for (let i = 0; i + 2 < rest.length; i += 2) joined.push(join(rest[i]!, rest[i + 1]!));
    rest = [...joined, rest.at(-1)!];
  }
  return rest;
}

function meanPoint(a: RunPoint, b: RunPoint): RunPoint {
  const mean = (name: Exclude<keyof RunPoint, 'epoch'>) => (a[name] + b[name]) / 2;
  return {
    epoch: b.epoch,
    loss: mean('loss'),
    accuracy: mean('accuracy'),
    imagesPerSecond: mean('imagesPerSecond'),
  };
}

/** The one that the page would call the best. */
function betterRecord(a: EpochRecord, b: EpochRecord): EpochRecord {
  if (Number.isNaN(b.accuracy)) return (a.valLoss ?? a.loss) < (b.valLoss ?? b.loss) ? a : b;
  return (a.valAccuracy ?? a.accuracy) > (b.valAccuracy ?? b.accuracy) ? a : b;
}

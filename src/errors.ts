/**
 * The typed errors of the library. Each says which operation failed, on which argument, what was
 * expected, what was received, and what to do about it.
 */

/** The parts of every error's message. */
export interface ErrorDetails {
  /** The public function, layer, kernel or file reader that refuses, e.g. `conv2d "conv2d_1"`. */
  readonly operation: string;
  /** The argument, option, tensor or byte offset at fault. */
  readonly argument?: string;
  /** What would have been right. */
  readonly expected: string;
  /** What came instead. */
  readonly received: string;
  /** What the reader can do about it. */
  readonly hint?: string;
}

/** Builds the one-line message that all errors share. */
function formatDetails(details: ErrorDetails): string {
  const where = details.argument === undefined ? '' : ` ${details.argument}:`;
  const hint = details.hint === undefined ? '' : ` (${details.hint})`;
  return `${details.operation}:${where} expected ${details.expected}, got ${details.received}${hint}`;
}

/** Marks what JSON cannot say while it is written. */
const MARK = '\u0001';
const MARKED = /(?<!\\)"\\u0001([^"]*)"/g;

/** A value as an error's `received` shows it: as JSON, but numbers of every kind as themselves. */
export function formatValue(value: unknown): string {
  const mark = (_key: string, each: unknown) => {
    if (typeof each === 'bigint') return `${MARK}${each}n`;
    if (typeof each === 'function') return `${MARK}${each.name || 'a'} function`;
    return typeof each === 'number' && !Number.isFinite(each) ? `${MARK}${each}` : each;
  };
  try {
    return JSON.stringify(value, mark)?.replace(MARKED, '$1') ?? String(value);
  } catch {
    // What refers to itself.
    return Object.prototype.toString.call(value);
  }
}

/** The common base: `instanceof FaltungError` catches all that the library throws on purpose. */
export class FaltungError extends Error {
  readonly details: ErrorDetails;

  constructor(details: ErrorDetails, options?: ErrorOptions) {
    super(formatDetails(details), options);
    this.details = details;
    this.name = new.target.name;
  }
}

/** A tensor's shape does not fit the operation. */
export class ShapeError extends FaltungError {}
/** An option has a value that makes no sense, or options contradict each other. */
export class ConfigError extends FaltungError {}
/** A file is not what it claims to be. */
export class FormatError extends FaltungError {}
/** The operating system refuses to read or write a file or folder; the message says what was tried, and where. */
export class FileError extends FaltungError {}
/** A data set is missing, damaged or of the wrong kind. */
export class DataError extends FaltungError {}
/** What was asked for does not fit into the memory that may be used. */
export class MemoryError extends FaltungError {}
/** A kernel trapped or threw; the message names it. */
export class KernelError extends FaltungError {}
/** A worker died or stopped answering; nothing of the step in flight was kept. */
export class WorkerLostError extends FaltungError {}
/** Where in a training run a value stopped being finite. */
export interface NonFinitePlace {
  /** Counted from 1; undefined for a single batch. */
  readonly epoch?: number;
  readonly step?: number;
  /** The layer whose computation gave the first bad tensor; undefined for samples and losses. */
  readonly layer?: string | undefined;
  /** The first bad tensor, in words. */
  readonly tensor: string;
}

/** A loss, a gradient or a weight became NaN or infinite. Nothing of the step was applied. */
export class NonFiniteLossError extends FaltungError {
  readonly place: NonFinitePlace;

  constructor(details: ErrorDetails, place: NonFinitePlace, options?: ErrorOptions) {
    super(details, options);
    this.place = place;
  }
}
/** The model, engine or data set was closed already, or is busy. */
export class StateError extends FaltungError {}

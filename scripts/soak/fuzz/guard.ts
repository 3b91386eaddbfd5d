/**
 * What every reader promises, whatever it is given: a valid result or a typed error, within a second and 256 MB, and no
 * prototype touched.
 */
import assert from 'node:assert/strict';
import { FaltungError } from '../../../src/errors.ts';
import type { Figures } from '../soak.ts';

/** Processor seconds an input may take: those of this process, so that a busy machine fails nothing. */
export const LIMIT_SECONDS = 1;
/** Seconds after which a reader that still waits counts as hung. */
const HUNG_SECONDS = 20;
/** Bytes by which memory may grow while an input is read. */
const LIMIT_BYTES = 256 * 2 ** 20;

/** How an input was taken. */
export type Reading<T> = { readonly value: T } | { readonly error: FaltungError };

interface Before {
  readonly cpu: NodeJS.CpuUsage;
  readonly memory: NodeJS.MemoryUsage;
  readonly peakBytes: number;
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype];
const shapeOfPrototypes = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length).join();
const UNTOUCHED = shapeOfPrototypes();

function before(): Before {
  return { cpu: process.cpuUsage(), memory: process.memoryUsage(), peakBytes: peakBytes() };
}

/** The most memory that this process has had. */
const peakBytes = () => process.resourceUsage().maxRSS * 1024;

/** Throws AssertionError where a limit was passed or a prototype changed; returns the input's cost. */
function check({ cpu, memory, peakBytes: oldPeak }: Before): { seconds: number; megabytes: number } {
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  // Buffers that were never written to take no memory yet, so what is allocated is looked at as well.
  const allocated = process.memoryUsage().arrayBuffers - memory.arrayBuffers;
  const peak = peakBytes();
  const grown = Math.max(allocated, peak > oldPeak ? peak - memory.rss : 0);
  assert.ok(seconds <= LIMIT_SECONDS, `took ${seconds.toFixed(2)} s of processor time`);
  assert.ok(grown <= LIMIT_BYTES, `took ${Math.round(grown / 2 ** 20)} MB`);
  assert.equal(shapeOfPrototypes(), UNTOUCHED, 'a prototype was changed');
  return { seconds, megabytes: Math.max(0, grown) / 2 ** 20 };
}

/** The error where it is one of ours and says all it should; throws anything else. */
function typed(error: unknown): FaltungError {
  if (!(error instanceof FaltungError)) throw error;
  const { operation, expected, received } = error.details;
  assert.ok(
    operation && expected && received !== undefined && received !== '',
    `says too little: ${error.message}`,
  );
  assert.ok(error.message.length < 10_000, `says too much: ${error.message.length} characters`);
  return error;
}

/** Reads an input, holds the reader to its promise and `valid` to the result; returns figures. */
export function guardSync<T>(read: () => T, valid: (reading: Reading<T>) => void): Figures {
  const start = before();
  let reading: Reading<T>;
  try {
    reading = { value: read() };
  } catch (error) {
    reading = { error: typed(error) };
  }
  const cost = check(start);
  valid(reading);
  return figuresOf(reading, cost);
}

/** The same for a reader that waits. */
export async function guard<T>(
  read: () => Promise<T>,
  valid: (reading: Reading<T>) => void | Promise<void>,
): Promise<Figures> {
  const start = before();
  let reading: Reading<T>;
  try {
    reading = { value: await inTime(read()) };
  } catch (error) {
    reading = { error: typed(error) };
  }
  const cost = check(start);
  await valid(reading);
  return figuresOf(reading, cost);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${HUNG_SECONDS} s`)), HUNG_SECONDS * 1000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function figuresOf<T>(
  reading: Reading<T>,
  { seconds, megabytes }: { seconds: number; megabytes: number },
): Figures {
  const refused = 'error' in reading;
  return {
    largest: { 'processor seconds': seconds, megabytes },
    total: { refused: refused ? 1 : 0, read: refused ? 0 : 1 },
  };
}

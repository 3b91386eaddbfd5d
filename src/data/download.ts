/**
 * Fetches one file over HTTP(S): streams into FILE.part, goes on there when interrupted (in a later run too),
 * verifies the MD5, and only then renames to FILE, so that a file of that name is always whole.
 *
 * Two processes may fetch the same file at once: both write the same bytes at the same offsets.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, DataError } from '../errors.ts';
import { contentRange, requestFrom, startWatchdog, validatorOf } from './http-range.ts';

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes on disk, those of earlier runs included. */
  readonly receivedBytes: number;
  /** Undefined where the server does not say. */
  readonly totalBytes: number | undefined;
  /** Mean over this run. */
  readonly bytesPerSecond: number;
  /** Undefined while unknown. */
  readonly secondsLeft: number | undefined;
}

/** Options of `downloadFile`. */
export interface DownloadOptions {
  readonly url: string;
  /** The file to make; its folder is created. */
  readonly file: string;
  /** MD5 of the whole file, in hexadecimal. */
  readonly md5: string;
  /** Called at most ten times a second, and once at the end. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Without a first byte for so long, the file counts as unavailable. Default 10000. */
  readonly offlineTimeoutMs?: number | undefined;
  /** A transfer that stands still for so long is broken off and resumed. Default 30000. */
  readonly stallTimeoutMs?: number | undefined;
  /** Failures in a row, none of which brought a byte, before a begun transfer is given up. Default 5. */
  readonly attempts?: number | undefined;
  /** Pause after a failure, doubled after each further one in a row. Default 500. */
  readonly backoffMs?: number | undefined;
  /** A longer file is refused. Default 1 GiB. */
  readonly maxBytes?: number | undefined;
}

/** What came of it. `unavailable`: no byte could be had within the time, and why. */
export type DownloadResult =
  | { readonly kind: 'done'; readonly file: string; readonly bytes: number }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** A transfer under way. */
interface Transfer {
  readonly url: string;
  readonly handle: FileHandle;
  readonly maxBytes: number;
  readonly startedMs: number;
  /** Bytes that this run did not have to fetch. */
  startBytes: number;
  /** Bytes in the file: where the next ones go. */
  position: number;
  /** Whether this run has received anything. */
  begun: boolean;
  /** Of which version the bytes are, where this run has seen it. */
  validator: string | undefined;
  totalBytes: number | undefined;
}

type Report = (transfer: Transfer, last: boolean) => void;

/** Without a byte so far, one failure is followed by one more try: who has no network should not wait. */
const ATTEMPTS_BEFORE_FIRST_BYTE = 2;

/**
 * Downloads `url` to `file`. Gives 'unavailable' where no byte comes within `offlineTimeoutMs` (no network, no
 * such host, refused, silent, an HTTP error status, or a folder that cannot be written).
 * Throws DataError for a transfer that broke off for good (FILE.part stays and is resumed next time), for a
 * file above `maxBytes`, and for a wrong MD5, the latter after one more try from scratch; ConfigError for an
 * address or an MD5 that is none.
 */
export async function downloadFile(options: DownloadOptions): Promise<DownloadResult> {
  const { file, url } = options;
  const md5 = options.md5.toLowerCase();
  checkSource(url, md5);
  const part = `${file}.part`;
  let received = '';
  for (let round = 0; round < 2; round++) {
    const handle = await openPart(part);
    if (typeof handle === 'string') return { kind: 'unavailable', reason: handle };
    try {
      const outcome = await fetchInto(handle, options);
      if (typeof outcome === 'string') {
        // Nothing has come: no file is left that nobody could go on with.
        if ((await handle.stat()).size === 0) await rm(part, { force: true });
        return { kind: 'unavailable', reason: outcome };
      }
      received = await md5OfHandle(handle);
      if (received === md5) {
        await moveIntoPlace(part, file);
        return { kind: 'done', file, bytes: outcome };
      }
    } finally {
      await handle.close();
    }
    await rm(part, { force: true });
  }
  throw new DataError({
    operation: 'download',
    argument: url,
    expected: `a file with MD5 ${md5}`,
    received: `MD5 ${received}, twice`,
    hint: 'the server, or something between such as a proxy or a login page, sends another file',
  });
}

function checkSource(url: string, md5: string): void {
  const operation = 'download';
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new ConfigError({
      operation,
      argument: 'url',
      expected: 'an http or https address',
      received: url,
    });
  }
  if (!/^[0-9a-f]{32}$/.test(md5)) {
    throw new ConfigError({ operation, argument: 'md5', expected: '32 hexadecimal digits', received: md5 });
  }
}

/** Opens FILE.part for writing at positions, or says why that is impossible. */
async function openPart(part: string): Promise<FileHandle | string> {
  try {
    await mkdir(path.dirname(part), { recursive: true });
    // 'a' creates without truncating but writes only at the end; 'r+' writes anywhere but creates nothing.
    await (await open(part, 'a')).close();
    return await open(part, 'r+');
  } catch (error) {
    return `${part} cannot be written: ${messageOf(error)}`;
  }
}

/** Two processes may have fetched the file together; the slower one finds it in place already. */
async function moveIntoPlace(part: string, file: string): Promise<void> {
  await rename(part, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Completes the file: its size, or the reason why no byte could be had. */
async function fetchInto(handle: FileHandle, options: DownloadOptions): Promise<number | string> {
  const { size } = await handle.stat();
  const transfer: Transfer = {
    url: options.url,
    handle,
    maxBytes: options.maxBytes ?? 1 << 30,
    startedMs: performance.now(),
    startBytes: size,
    position: size,
    begun: false,
    validator: undefined,
    totalBytes: undefined,
  };
  const report = throttledReport(options.onProgress);
  const deadlineMs = transfer.startedMs + (options.offlineTimeoutMs ?? 10_000);
  const stallMs = options.stallTimeoutMs ?? 30_000;
  let failures = 0;
  for (;;) {
    const before = transfer.position;
    const leftMs = deadlineMs - performance.now();
    const failure = await tryOnce(transfer, transfer.begun ? stallMs : Math.max(1, leftMs), stallMs, report);
    if (failure === undefined) {
      report(transfer, true);
      return transfer.position;
    }
    failures = transfer.position > before ? 1 : failures + 1;
    const pauseMs = (options.backoffMs ?? 500) * (1 << (failures - 1));
    if (!transfer.begun) {
      const late = performance.now() + pauseMs >= deadlineMs;
      if (late || failures >= ATTEMPTS_BEFORE_FIRST_BYTE) return failure;
    } else if (failures >= (options.attempts ?? 5)) {
      throw brokenOff(transfer, failure);
    }
    await sleep(pauseMs);
  }
}

/** One request; undefined when the file is complete, else what went wrong. */
async function tryOnce(
  transfer: Transfer,
  firstByteMs: number,
  stallMs: number,
  report: Report,
): Promise<string | undefined> {
  const watchdog = startWatchdog(firstByteMs);
  try {
    const resume = { offset: transfer.position, validator: transfer.validator };
    const answer = await requestFrom(transfer.url, resume, watchdog.signal);
    return await takeAnswer(transfer, answer, () => {
      watchdog.feed(stallMs);
      report(transfer, false);
    });
  } catch (error) {
    if (error instanceof DataError) throw error;
    return messageOf(watchdog.signal.aborted ? watchdog.signal.reason : error);
  } finally {
    watchdog.stop();
  }
}

async function takeAnswer(
  transfer: Transfer,
  answer: IncomingMessage,
  onBytes: () => void,
): Promise<string | undefined> {
  const { statusCode: status } = answer;
  const { start, total } = contentRange(answer);
  if (status === 200) {
    await restart(transfer);
    const length = answer.headers['content-length'];
    transfer.totalBytes = length === undefined ? undefined : Number(length);
  } else if (status === 206 && start === transfer.position && agrees(transfer.totalBytes, total)) {
    transfer.totalBytes = total;
  } else {
    answer.destroy();
    // The server has nothing beyond what is here: that is all of it.
    if (status === 416 && total === transfer.position) return undefined;
    if (status === 206 || status === 416) {
      await restart(transfer);
      return 'the server has another version of the file than the part fetched before';
    }
    return `the server answers ${status} ${answer.statusMessage}`;
  }
  transfer.validator = validatorOf(answer);
  checkLength(transfer, transfer.totalBytes ?? 0);
  for await (const chunk of answer) {
    await append(transfer, chunk as Buffer);
    onBytes();
  }
  return transfer.totalBytes === undefined || transfer.position === transfer.totalBytes
    ? undefined
    : `the answer ended after ${transfer.position} of ${transfer.totalBytes} bytes`;
}

function agrees(known: number | undefined, now: number | undefined): boolean {
  return known === undefined || now === undefined || known === now;
}

/** Forgets the bytes so far. */
async function restart(transfer: Transfer): Promise<void> {
  if (transfer.position > 0) await transfer.handle.truncate(0);
  transfer.position = 0;
  transfer.startBytes = 0;
  transfer.validator = undefined;
  transfer.totalBytes = undefined;
}

async function append(transfer: Transfer, chunk: Buffer): Promise<void> {
  checkLength(transfer, transfer.position + chunk.length);
  try {
    for (let written = 0; written < chunk.length; ) {
      const position = transfer.position + written;
      const { bytesWritten } = await transfer.handle.write(chunk, written, chunk.length - written, position);
      written += bytesWritten;
    }
  } catch (error) {
    throw new DataError(
      {
        operation: 'download',
        argument: transfer.url,
        expected: 'room to write',
        received: messageOf(error),
      },
      { cause: error },
    );
  }
  transfer.position += chunk.length;
  transfer.begun = true;
}

function checkLength(transfer: Transfer, bytes: number): void {
  if (bytes <= transfer.maxBytes) return;
  throw new DataError({
    operation: 'download',
    argument: transfer.url,
    expected: `at most ${transfer.maxBytes} bytes`,
    received: `${bytes} or more`,
  });
}

function brokenOff(transfer: Transfer, failure: string): DataError {
  return new DataError({
    operation: 'download',
    argument: transfer.url,
    expected: `${transfer.totalBytes ?? 'all'} bytes`,
    received: `${transfer.position} before it broke off for good: ${failure}`,
    hint: 'run it again: it goes on where it stopped',
  });
}

function throttledReport(onProgress: DownloadOptions['onProgress']): Report {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (transfer, last) => {
    const nowMs = performance.now();
    if (onProgress === undefined || (!last && nowMs - lastMs < 100)) return;
    lastMs = nowMs;
    const { position, totalBytes, startBytes, startedMs } = transfer;
    const bytesPerSecond = (position - startBytes) / Math.max(0.001, (nowMs - startedMs) / 1000);
    const known = totalBytes !== undefined && bytesPerSecond > 0;
    onProgress({
      receivedBytes: position,
      totalBytes,
      bytesPerSecond,
      secondsLeft: known ? (totalBytes - position) / bytesPerSecond : undefined,
    });
  };
}

async function md5OfHandle(handle: FileHandle): Promise<string> {
  const hash = createHash('md5');
  const buffer = new Uint8Array(1 << 20);
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** node:http's errors carry their text in `message`, or only in `code` where several addresses failed. */
function messageOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || String(error);
}

/**
 * One HTTP(S) request for the bytes of a file from an offset on: redirects followed, a watchdog against
 * servers that fall silent, raw bytes out.
 *
 * node:http instead of fetch: fetch undoes the `Content-Encoding: gzip` that some servers put on a .tar.gz.
 */
import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';

/** Ends a request when nothing has happened for a while. */
export interface Watchdog {
  readonly signal: AbortSignal;
  /** Starts the wait anew, with another limit where one is given. */
  feed(limitMs?: number): void;
  stop(): void;
}

/** A watchdog that bites after `limitMs` without `feed`. */
export function startWatchdog(limitMs: number): Watchdog {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const arm = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error(`no answer for ${Math.round(ms / 100) / 10} s`)), ms);
  };
  arm(limitMs);
  return {
    signal: controller.signal,
    feed(ms) {
      if (ms !== undefined) limitMs = ms;
      arm(limitMs);
    },
    stop: () => clearTimeout(timer),
  };
}

/** What is already there: its length, and the ETag or date that says of which version it is. */
export interface Resume {
  readonly offset: number;
  readonly validator?: string | undefined;
}

const MAX_REDIRECTS = 5;

/**
 * Asks for `url` from `resume.offset` on. Resolves with the first answer that is no redirect, whatever its
 * status; rejects where there is none.
 */
export async function requestFrom(
  url: string,
  resume: Resume,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const headers: Record<string, string> = { 'Accept-Encoding': 'identity' };
  if (resume.offset > 0) {
    headers.Range = `bytes=${resume.offset}-`;
    if (resume.validator !== undefined) headers['If-Range'] = resume.validator;
  }
  let target = new URL(url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await requestOnce(target, headers, signal);
    const { location } = answer.headers;
    const status = answer.statusCode ?? 0;
    if (location === undefined || status < 300 || status > 399) return answer;
    answer.resume();
    target = new URL(location, target);
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`);
}

function requestOnce(
  target: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const client = target.protocol === 'http:' ? http : target.protocol === 'https:' ? https : undefined;
  if (client === undefined)
    return Promise.reject(new Error(`${target.protocol} is neither http: nor https:`));
  return new Promise((resolve, reject) => {
    client.get(target, { headers, signal }, resolve).on('error', reject);
  });
}

/** The strong ETag or the modification date of an answer: what `If-Range` may carry. */
export function validatorOf(answer: IncomingMessage): string | undefined {
  const { etag } = answer.headers;
  return etag !== undefined && !etag.startsWith('W/') ? etag : answer.headers['last-modified'];
}

/** The header `Content-Range: bytes 10-99/100` as numbers; what is missing or `*` is left out. */
export function contentRange(answer: IncomingMessage): { start?: number; total?: number } {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(?:(\d+)|\*)$/.exec(answer.headers['content-range'] ?? '');
  return {
    ...(match?.[1] !== undefined && { start: Number(match[1]) }),
    ...(match?.[2] !== undefined && { total: Number(match[2]) }),
  };
}

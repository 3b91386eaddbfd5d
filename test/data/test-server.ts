/** An HTTP server on the loopback address for tests of downloads, and temporary folders beside it. */
import { mkdtemp, rm } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

/** Answers request number `index` (from 0). */
export type Answer = (response: ServerResponse, request: IncomingMessage, index: number) => void;

/** Starts a server that ends with the test; `seen` fills with its requests. */
export async function serve(t: TestContext, answer: Answer): Promise<{ url: string; seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const server = http.createServer((request, response) => {
    const { range, 'if-range': ifRange } = request.headers;
    seen.push({ path: request.url ?? '', range, ifRange: ifRange as string | undefined });
    answer(response, request, seen.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/archive.tar.gz`, seen };
}

/** Answers like a server that knows ranges, from `content`; sends at most `bytes`, then cuts the line. */
export function sendRange(
  response: ServerResponse,
  request: IncomingMessage,
  content: Buffer,
  options: { etag?: string; bytes?: number } = {},
): void {
  const { etag = '"v1"', bytes = content.length } = options;
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const start = asked === undefined ? 0 : Number(asked);
  if (start >= content.length && start > 0) {
    response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
    return;
  }
  const stale = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag;
  const from = stale ? 0 : start;
  const partial = asked !== undefined && !stale;
  response.writeHead(partial ? 206 : 200, {
    'Content-Length': content.length - from,
    ETag: etag,
    ...(partial && { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  const piece = content.subarray(from, from + bytes);
  if (from + bytes >= content.length) response.end(piece);
  else response.write(piece, () => setTimeout(() => response.destroy(), 10));
}

/** A folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faltung-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * The page's server, on 127.0.0.1 alone:
 *
 *   GET  /, /style.css, ...   the page
 *   GET  /events              server-sent events: `view` (all), then `change`
 *   POST /control             { "action": "pause" | "resume" | "stop" }, with the token in X-Faltung-Token
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../errors.ts';
import { createEventStream, MOST_LISTENERS } from './event-stream.ts';
import { isToken, objection } from './guard.ts';
import { readPageFiles } from './page-files.ts';
import { changedView, mergedChanges, type RunView, type ViewChange } from './run-view.ts';

export type ControlAction = 'pause' | 'resume' | 'stop';

export interface UiServerOptions {
  readonly view: RunView;
  readonly port: number;
  readonly token: string;
  readonly onControl?: ((action: ControlAction) => void) | undefined;
}

/** A page that is being served. */
export interface UiServer {
  readonly port: number;
  readonly view: RunView;
  /** Browsers that look on. */
  readonly listeners: number;
  update(change: ViewChange): void;
  close(): Promise<void>;
}

const MOST_BODY_BYTES = 1000;
/** Changes that follow one another faster are sent together: a browser must not fall behind. */
const SEND_MS = 100;
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Serves the page. Throws ConfigError where the port is taken, ConfigError where uplot is not installed. */
export async function startServer(options: UiServerOptions): Promise<UiServer> {
  const files = readPageFiles();
  const events = createEventStream();
  let { view } = options;
  let pending: ViewChange | undefined;
  let timer: NodeJS.Timeout | undefined;

  function send(): void {
    if (pending !== undefined) events.send('change', pending);
    pending = undefined;
    clearTimeout(timer);
    timer = undefined;
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = objection(request.headers);
    if (refused !== undefined) return refuse(response, 403, refused);
    const path = (request.url ?? '/').split('?')[0]!;
    if (path === '/control') return control(request, response);
    if (request.method !== 'GET') return refuse(response, 405, 'GET only', { Allow: 'GET' });
    if (path === '/events') {
      if (events.size >= MOST_LISTENERS) return refuse(response, 503, 'too many pages look on');
      send();
      return events.add(response, 'view', view);
    }
    const file = files.get(path);
    if (file === undefined) return refuse(response, 404, 'there is no such page');
    response.writeHead(200, { 'Content-Type': file.type, 'Content-Length': file.body.length }).end(file.body);
  }

  async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return refuse(response, 405, 'POST only', { Allow: 'POST' });
    if (!isToken(request.headers['x-faltung-token'], options.token)) {
      return refuse(response, 401, 'open the address that the run printed: it has a token');
    }
    if (options.onControl === undefined) return refuse(response, 409, 'this run cannot be controlled');
    const action = actionOf(await bodyOf(request));
    if (action === undefined) return refuse(response, 400, 'no action: pause, resume or stop');
    options.onControl(action);
    response.writeHead(204).end();
  }

  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    respond(request, response).catch(() => {
      // The browser went away in the middle of its request.
      response.destroy();
    });
  });
  // A proxy is asked so; by itself node closes the connection without a word.
  server.on('connect', (_, socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n\r\n');
  });
  server.maxConnections = 4 * MOST_LISTENERS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(unavailable(options.port, cause)));
    server.listen(options.port, '127.0.0.1', resolve);
  });
  // Too many open files, say: the page may fail, the run must not.
  server.on('error', () => undefined);
  // The page must keep no run from ending.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    get view() {
      return view;
    },
    get listeners() {
      return events.size;
    },
    update(change) {
      view = changedView(view, change);
      if (events.size === 0) return;
      pending = mergedChanges(pending ?? {}, change);
      timer ??= setTimeout(send, SEND_MS).unref();
    },
    async close() {
      send();
      await events.end();
      server.close();
      server.closeAllConnections();
    },
  };
}

function refuse(
  response: ServerResponse,
  status: number,
  why: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(`${why}\n`);
}

/** Undefined for a body that is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function actionOf(body = ''): ControlAction | undefined {
  let action: unknown;
  try {
    action = (JSON.parse(body) as { action?: unknown } | null)?.action;
  } catch {
    return undefined;
  }
  return action === 'pause' || action === 'resume' || action === 'stop' ? action : undefined;
}

function unavailable(port: number, cause: Error): ConfigError {
  return new ConfigError(
    {
      operation: 'trainingUi',
      argument: 'port',
      expected: `to listen on 127.0.0.1:${port}`,
      received: cause.message,
      hint: 'port 0 takes a free one',
    },
    { cause },
  );
}

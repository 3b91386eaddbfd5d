/**
 * Requests that strangers may send to a server on this machine, as the bytes of a connection: right ones with a few parts
 * exchanged for wrong, odd or hostile ones, some with changed bytes.
 */
import { changeBytes, joined } from './bytes.ts';
import { EDGE_NAMES, type Random } from './random.ts';

/** A route of the server and a body that it takes. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What is sent, and what must not happen in return. */
export interface HostileRequest {
  readonly bytes: Uint8Array;
  /** The parts were put together without changing bytes, and its body is as long as it says. */
  readonly wellFormed: boolean;
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PATCH', 'PROPFIND', 'CONNECT'];
const NO_METHODS = ['get', 'GOT', 'G E T', '', 'GET\t', 'PRI', 'X'.repeat(300), '\u0000'];
const PATHS = [
  '/../package.json',
  '/../../etc/passwd',
  '/..%2f..%2f..%2fetc%2fpasswd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/%252e%252e/etc/passwd',
  '/..\\..\\etc\\passwd',
  '//etc/passwd',
  '/.//../model.safetensors',
  '/index.html',
  '/page/../server.ts',
  '/client.mjs%00.png',
  '/client.mjs/',
  '/%',
  '/%ff%fe',
  '/?',
  '/#',
  '*',
  '',
  'http://evil.example/',
  'http://127.0.0.1/',
  'file:///etc/passwd',
  `/${'a'.repeat(7000)}`,
  `/${'../'.repeat(2000)}`,
  `/${'a'.repeat(20_000)}`,
];
const HOSTS = [
  'evil.example',
  'evil.example:80',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  '127.0.0.1@evil.example',
  'evil.example#127.0.0.1',
  '127.1',
  '0.0.0.0',
  '127.0.0.1:99999999',
  '127.0.0.1:80:80',
  '',
];
const ORIGINS = ['null', 'http://evil.example', 'https://127.0.0.1', 'http://127.0.0.1:1', 'file://', ''];
const TYPES = [
  'application/json',
  'text/plain',
  'multipart/form-data',
  'application/octet-stream',
  'image/png',
];
const ODD_HEADERS = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: xchunked',
  'Content-Length: -1',
  'Content-Length: 1e3',
  'Content-Length: 99999999999999999999',
  'Content-Length: 1\r\nContent-Length: 2',
  'Expect: 100-continue',
  'Expect: the impossible',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Upgrade: h2c\r\nHTTP2-Settings: AAAA\r\nConnection: Upgrade, HTTP2-Settings',
  'Range: bytes=0-18446744073709551615',
  'Host: evil.example',
  'Sec-Fetch-Site: cross-site',
  'X-Faltung-Token: ',
  'Cookie: __proto__=1',
  'no colon',
  ': no name',
  'X: a\r\n folded',
  'X\u0000: b',
  'Content-Encoding: gzip',
];

/** A request for a server at `host`; `token` is tried by nobody who does not know it. */
export function hostileRequest(random: Random, routes: readonly Route[], host: string): HostileRequest {
  const route = random.pick(routes);
  const maybe = <T>(probability: number, other: () => T, own: T) =>
    random.chance(probability) ? other() : own;
  const method = maybe(0.2, () => random.pick(random.chance(0.6) ? METHODS : NO_METHODS), route.method);
  const path = maybe(0.3, () => oddPath(random, route.path), route.path);
  const given: string | undefined = maybe(0.2, () => random.pick([...HOSTS, undefined]), host);
  const origin: string | undefined = random.chance(0.2)
    ? random.pick([...ORIGINS, `http://${host}`])
    : undefined;
  const body = maybe(
    0.3,
    () => oddBody(random, route.body ?? new Uint8Array()),
    route.body ?? new Uint8Array(),
  );
  const version = maybe(0.05, () => random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', 'HTTP', '']), 'HTTP/1.1');
  const headers = { ...route.headers };
  if (random.chance(0.15)) headers['Content-Type'] = random.pick([...TYPES, ...EDGE_NAMES.map(ascii)]);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (given !== undefined) lines.unshift(`Host: ${given}`);
  lines.push('Connection: close');
  if (origin !== undefined) lines.push(`Origin: ${origin}`);
  if (body.length > 0 || method === 'POST') lines.push(`Content-Length: ${body.length}`);
  const odd = random.chance(0.25);
  if (odd) lines.push(oddHeader(random));
  const head = `${method} ${path} ${version}\r\n${lines.join('\r\n')}\r\n\r\n`;
  const whole = joined(Buffer.from(head, 'latin1'), body);
  const damaged = random.chance(0.25);
  return {
    bytes: damaged ? changeBytes(random, whole, head.length) : whole,
    wellFormed: !damaged && !odd && version === 'HTTP/1.1',
    method,
    path,
    host: given,
    origin,
  };
}

function oddPath(random: Random, own: string): string {
  const name = random.pick(EDGE_NAMES.map(ascii));
  return random.pick([random.pick(PATHS), random.pick(PATHS), `${own}/${name}`, `${own}?${name}`, own + own]);
}

function oddHeader(random: Random): string {
  switch (random.int(6)) {
    case 0:
      return `X: ${'y'.repeat(random.pick([1000, 16_000, 17_000, 70_000]))}`;
    case 1:
      return Array.from({ length: random.pick([50, 1900, 2100]) }, (_, i) => `X${i}: y`).join('\r\n');
    default:
      return random.pick(ODD_HEADERS);
  }
}

function oddBody(random: Random, own: Uint8Array): Uint8Array {
  switch (random.int(6)) {
    case 0:
      // A copy: slices of a Buffer are views, and the route's own body must stay as it is.
      return changeBytes(random, Uint8Array.from(own));
    case 1:
      return Buffer.from('[1,'.repeat(random.int(2000)));
    case 2:
      return Buffer.from(
        random.pick([
          'null',
          '[]',
          '{}',
          '"pause"',
          '{"action":["stop"]}',
          '{"__proto__":{"action":"stop"}}',
        ]),
      );
    case 3:
      return new Uint8Array(random.pick([999, 1001, 70_000, random.chance(0.05) ? 9_000_000 : 200_000]));
    default:
      return Buffer.from('{"action":"dance"}');
  }
}

/** A name as it may stand in a request's line: characters that none of its bytes can be are taken for others. */
function ascii(name: string): string {
  return encodeURI(name.replaceAll(/[^\x21-\x7e]/g, '~'));
}

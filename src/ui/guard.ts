/**
 * Who may ask. The server listens on the loopback interface alone; a page of a stranger's site in the user's browser
 * can still send requests there, under a name of its own (DNS rebinding) or across origins. Hence: the Host must be a
 * loopback name, an Origin must be the page's own, and what changes the run needs the token of the printed address.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** Why a request is refused; undefined where it may go on. Any port is good, so that tunnels work. */
export function objection({ host = '', origin, ...rest }: IncomingHttpHeaders): string | undefined {
  if (!LOOPBACK.test(host)) return 'the Host is not this machine';
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`.toLowerCase()) {
    return 'the Origin is another page';
  }
  const site = rest['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') return 'the request comes from another site';
  return undefined;
}

/** Whether a header is the token, compared in a time that says nothing of it. */
export function isToken(given: string | string[] | undefined, token: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

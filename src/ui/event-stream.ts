/** Server-sent events (HTML standard, 9.2): the browsers that look on, and what they are told. */
import type { ServerResponse } from 'node:http';

/** More onlookers than so are refused. */
export const MOST_LISTENERS = 32;
/** A browser reads slower than the run goes: what it has not taken may not fill the memory. */
const MOST_PENDING_BYTES = 8_000_000;
const HEARTBEAT_SECONDS = 15;
const RECONNECT_MS = 1000;

/** Open connections, each with what is still to be told. */
export interface EventStream {
  readonly size: number;
  /** Takes a connection and sends it `first`. */
  add(response: ServerResponse, event: string, first: unknown): void;
  send(event: string, data: unknown): void;
  /** Ends all connections, and waits until their last words are out, half a second at most. */
  end(): Promise<void>;
}

export function createEventStream(): EventStream {
  const open = new Set<ServerResponse>();
  const write = (response: ServerResponse, text: string) => {
    if (response.writableLength > MOST_PENDING_BYTES) response.destroy();
    else response.write(text);
  };
  const heartbeat = setInterval(() => {
    for (const response of open) write(response, ':\n\n');
  }, HEARTBEAT_SECONDS * 1000);
  heartbeat.unref();
  return {
    get size() {
      return open.size;
    },
    add(response, event, first) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
      write(response, `retry: ${RECONNECT_MS}\n\n${messageOf(event, first)}`);
      open.add(response);
      response.on('close', () => open.delete(response));
      // A browser that is gone is no error of the run.
      response.on('error', () => open.delete(response));
    },
    send(event, data) {
      if (open.size === 0) return;
      const message = messageOf(event, data);
      for (const response of open) write(response, message);
    },
    async end() {
      clearInterval(heartbeat);
      const ended = [...open].map((response) => new Promise<void>((resolve) => response.end(resolve)));
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, 500);
      });
      await Promise.race([Promise.all(ended), patience]);
      clearTimeout(timer);
    },
  };
}

/** JSON has no line feeds of its own, so it is one line of data. */
function messageOf(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

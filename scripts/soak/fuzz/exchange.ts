/** One connection to a server on this machine: bytes are sent, and what comes back is told. */
import { connect } from 'node:net';

export interface Answer {
  /** 0 where the server closed the connection without a word. */
  readonly status: number;
  readonly text: string;
}

/** Milliseconds after which a server that has not answered counts as hung. */
const HUNG_MS = 10_000;
/** The rest of an answer is at its place this much after its head; a stream of events has no end. */
const QUIET_MS = 2;

/**
 * Sends `bytes` and waits until the server has answered and closed the connection, or sends events; "go on" (1xx) is no
 * answer. Throws where neither comes in time. `ends`: says that no more is coming, which a server waits for where a
 * request is not whole, and which makes node drop requests that it has not answered yet.
 */
export function exchange(port: number, bytes: Uint8Array, ends = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let quiet: NodeJS.Timeout | undefined;
    const hung = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer after ${HUNG_MS} ms`));
    }, HUNG_MS);
    const done = () => {
      clearTimeout(hung);
      clearTimeout(quiet);
      socket.destroy();
      resolve(answerOf(Buffer.concat(chunks).toString('latin1')));
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (!/event-stream/.test(chunk.toString('latin1'))) return;
      clearTimeout(quiet);
      quiet = setTimeout(done, QUIET_MS);
    });
    socket.on('end', done);
    // A server that has refused may close while it is still being written to.
    socket.on('error', done);
    socket.on('close', done);
    if (ends) socket.end(bytes);
    else socket.write(bytes);
  });
}

function answerOf(text: string): Answer {
  const last = text.replace(/^(?:HTTP\/1\.1 1\d\d[^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, '');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(last)?.[1] ?? 0);
  return { status: last === '' ? 0 : status || Number.NaN, text: last };
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { contentRange, requestFrom } from '../../src/data/http-range.ts';
import { serve } from './test-server.ts';

const signal = AbortSignal.timeout(30_000);
const START = { offset: 0 };

test('every answer but a redirect with an address is given as it is', async (t) => {
  const { url, seen } = await serve(t, (response, { url: path }) => {
    const status = Number(path!.slice(1));
    response.writeHead(status, status === 201 ? { Location: '/200' } : {}).end();
  });
  for (const status of [200, 201, 206, 304, 400, 416, 500]) {
    const answer = await requestFrom(new URL(`/${status}`, url).href, START, signal);
    assert.equal(answer.statusCode, status);
    answer.resume();
  }
  assert.equal(seen.length, 7, 'and nothing else was asked for');
});

test('what a redirect says besides the address is taken off the line', { timeout: 20_000 }, async (t) => {
  let told: Promise<unknown> = Promise.resolve();
  const { url } = await serve(t, (response, { url: path }) => {
    if (path === '/there') response.end('here');
    else {
      told = once(response, 'finish');
      response.writeHead(302, { Location: '/there' }).end(Buffer.alloc(16_000_000));
    }
  });
  const answer = await requestFrom(url, START, signal);
  assert.equal((await answer.setEncoding('utf8').toArray()).join(''), 'here');
  await told;
});

test('ranges are read from their header, what is missing or * left out', () => {
  const rangeOf = (value: string | undefined) =>
    contentRange({ headers: { 'content-range': value } } as unknown as IncomingMessage);
  assert.deepEqual(rangeOf('bytes 10-99/100'), { start: 10, total: 100 });
  assert.deepEqual(rangeOf('bytes 0-9/*'), { start: 0 });
  assert.deepEqual(rangeOf('bytes */100'), { total: 100 });
  for (const other of [undefined, '', 'bytes', 'bytes 10-/100', 'items 1-2/3', 'bytes 1-2/3 ']) {
    assert.deepEqual(rangeOf(other), {}, String(other));
  }
});

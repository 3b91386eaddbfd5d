import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DownloadOptions, type DownloadProgress, downloadFile } from '../../src/data/download.ts';
import { ConfigError, DataError } from '../../src/errors.ts';
import { type Answer, sendRange, serve, temporaryFolder } from './test-server.ts';

/** 300,000 bytes without a pattern that would hide a shift. */
const content = Buffer.alloc(300_000, createHash('sha512').update('content').digest());
for (let i = 0; i < content.length; i += 64) content.writeUInt32LE(i, i);
const md5 = createHash('md5').update(content).digest('hex');

async function start(t: TestContext, answer: Answer, options: Partial<DownloadOptions> = {}) {
  const folder = await temporaryFolder(t);
  const server = await serve(t, answer);
  const file = path.join(folder, 'deep', 'archive.tar.gz');
  const fetchIt = () => downloadFile({ url: server.url, file, md5, backoffMs: 5, ...options });
  return { file, part: `${file}.part`, seen: server.seen, fetchIt };
}

function assertWhole(file: string): void {
  assert.ok(readFileSync(file).equals(content));
  assert.ok(!existsSync(`${file}.part`));
}

test('a file arrives whole, with progress that ends at its size', async (t) => {
  const progress: DownloadProgress[] = [];
  const { file, seen, fetchIt } = await start(
    t,
    (response, request) => sendRange(response, request, content),
    {
      onProgress: (now) => progress.push(now),
    },
  );
  assert.deepEqual(await fetchIt(), { kind: 'done', file, bytes: content.length });
  assertWhole(file);
  assert.deepEqual(seen, [{ path: '/archive.tar.gz', range: undefined, ifRange: undefined }]);
  const last = progress.at(-1)!;
  assert.deepEqual([last.receivedBytes, last.totalBytes, last.secondsLeft], [300_000, 300_000, 0]);
  assert.ok(last.bytesPerSecond > 0);
});

test('a transfer that breaks off twice goes on with Range where it stopped', async (t) => {
  const { file, seen, fetchIt } = await start(t, (response, request, index) => {
    sendRange(response, request, content, { bytes: index < 2 ? 100_000 : content.length });
  });
  assert.equal((await fetchIt()).kind, 'done');
  assertWhole(file);
  assert.deepEqual(
    seen.map(({ range, ifRange }) => [range, ifRange]),
    [
      [undefined, undefined],
      ['bytes=100000-', '"v1"'],
      ['bytes=200000-', '"v1"'],
    ],
  );
});

test('a part left by an earlier run is gone on with', async (t) => {
  const { file, part, seen, fetchIt } = await start(
    t,
    (response, request, index) => {
      sendRange(response, request, content, { bytes: index < 1 ? 120_000 : content.length });
    },
    { attempts: 1 },
  );
  await assert.rejects(fetchIt, (error: Error) => {
    assert.ok(error instanceof DataError);
    assert.match(
      error.message,
      /expected 300000 bytes, got 120000 before it broke off for good: .*run it again/,
    );
    return true;
  });
  assert.equal(statSync(part).size, 120_000);
  assert.equal((await fetchIt()).kind, 'done');
  assert.equal(seen[1]?.range, 'bytes=120000-');
  assertWhole(file);
});

test('a part that is whole already is not fetched again', async (t) => {
  const { file, part, seen, fetchIt } = await start(t, (response, request) =>
    sendRange(response, request, content),
  );
  await fetchIt();
  writeFileSync(part, content);
  assert.deepEqual(await fetchIt(), { kind: 'done', file, bytes: content.length });
  assert.equal(seen.length, 2);
  assertWhole(file);
});

test('a server that knows no ranges sends all again, and the file is right', async (t) => {
  const { file, seen, fetchIt } = await start(t, (response, _request, index) => {
    response.writeHead(200, { 'Content-Length': content.length });
    if (index > 0) response.end(content);
    else response.write(content.subarray(0, 90_000), () => setTimeout(() => response.destroy(), 10));
  });
  assert.equal((await fetchIt()).kind, 'done');
  assert.equal(seen[1]?.range, 'bytes=90000-');
  assertWhole(file);
});

test('a file that changes on the server between two tries is fetched anew', async (t) => {
  const old = Buffer.from(content).fill(1, 0, 50_000);
  const { file, fetchIt } = await start(t, (response, request, index) => {
    if (index === 0) sendRange(response, request, old, { bytes: 100_000, etag: '"old"' });
    else sendRange(response, request, content, { etag: '"new"' });
  });
  assert.equal((await fetchIt()).kind, 'done');
  assertWhole(file);
});

test('a part that is longer than the file, or of other bytes, is thrown away', async (t) => {
  for (const wrong of [Buffer.alloc(400_000), Buffer.alloc(1000, 7)]) {
    const { part, file, seen, fetchIt } = await start(t, (response, request) =>
      sendRange(response, request, content),
    );
    mkdirSync(path.dirname(part));
    writeFileSync(part, wrong);
    assert.equal((await fetchIt()).kind, 'done');
    assertWhole(file);
    assert.deepEqual(
      seen.map((request) => request.range),
      [`bytes=${wrong.length}-`, undefined],
    );
  }
});

test('a server that answers another range than asked for is asked again from the start', async (t) => {
  const { file, seen, fetchIt } = await start(t, (response, request, index) => {
    if (index !== 1)
      return sendRange(response, request, content, { bytes: index < 1 ? 1000 : content.length });
    response
      .writeHead(206, { 'Content-Range': `bytes 0-${content.length - 1}/${content.length}` })
      .end(content);
  });
  assert.equal((await fetchIt()).kind, 'done');
  assertWhole(file);
  assert.deepEqual(
    seen.map((request) => request.range),
    [undefined, 'bytes=1000-', undefined],
  );
});

test('a bad line is borne for ever as long as each try brings something', async (t) => {
  const { file, seen, fetchIt } = await start(
    t,
    (response, request) => sendRange(response, request, content, { bytes: 30_000 }),
    { attempts: 2, backoffMs: 1 },
  );
  assert.equal((await fetchIt()).kind, 'done');
  assertWhole(file);
  assert.equal(seen.length, 10);
});

test('a wrong MD5 is tried once more from scratch, then refused, and nothing is left', async (t) => {
  const { file, part, seen, fetchIt } = await start(t, (response) => response.end('a login page'));
  await assert.rejects(fetchIt, (error: Error) => {
    const login = createHash('md5').update('a login page').digest('hex');
    assert.ok(error instanceof DataError);
    assert.ok(
      error.message.includes(`expected a file with MD5 ${md5}, got MD5 ${login}, twice`),
      error.message,
    );
    return true;
  });
  assert.equal(seen.length, 2);
  assert.ok(!existsSync(file) && !existsSync(part));
});

test('an answer that ends early, without a length to tell, is caught by the MD5 and fetched again', async (t) => {
  const { file, fetchIt } = await start(t, (response, _request, index) => {
    response.end(index === 0 ? content.subarray(0, 150_000) : content);
  });
  assert.equal((await fetchIt()).kind, 'done');
  assertWhole(file);
});

test('redirects are followed', async (t) => {
  const { file, seen, fetchIt } = await start(t, (response, request) => {
    if (request.url === '/elsewhere') sendRange(response, request, content);
    else response.writeHead(302, { Location: '/elsewhere' }).end();
  });
  assert.equal((await fetchIt()).kind, 'done');
  assert.deepEqual(
    seen.map((request) => request.path),
    ['/archive.tar.gz', '/elsewhere'],
  );
  assertWhole(file);
});

test('redirects in a circle, and error statuses, make the file unavailable', async (t) => {
  const circle = await start(t, (response) => response.writeHead(302, { Location: '/again' }).end());
  const result = await circle.fetchIt();
  assert.deepEqual(result, { kind: 'unavailable', reason: 'more than 5 redirects' });
  const refused = await start(t, (response) => response.writeHead(403).end());
  assert.deepEqual(await refused.fetchIt(), {
    kind: 'unavailable',
    reason: 'the server answers 403 Forbidden',
  });
});

test('a passing server error is waited out', async (t) => {
  const { file, fetchIt } = await start(t, (response, request, index) => {
    if (index === 0) response.writeHead(503).end();
    else sendRange(response, request, content);
  });
  assert.equal((await fetchIt()).kind, 'done');
  assertWhole(file);
});

test('a server that accepts and never answers counts as unreachable after the timeout', async (t) => {
  const { fetchIt } = await start(t, () => {}, { offlineTimeoutMs: 200 });
  const result = await fetchIt();
  assert.equal(result.kind, 'unavailable');
  assert.match((result as { reason: string }).reason, /^no answer for 0\.\d s$/);
});

test('headers without a byte of the body count as silence too', async (t) => {
  const headersOnly: Answer = (response) => response.writeHead(200, { 'Content-Length': 5 }).flushHeaders();
  const { fetchIt } = await start(t, headersOnly, { offlineTimeoutMs: 200 });
  assert.equal((await fetchIt()).kind, 'unavailable');
});

test('a transfer that stands still is broken off and resumed', async (t) => {
  const { file, seen, fetchIt } = await start(
    t,
    (response, request, index) => {
      if (index > 0) return sendRange(response, request, content);
      response.writeHead(200, { 'Content-Length': content.length });
      response.write(content.subarray(0, 1000));
    },
    { stallTimeoutMs: 1000 },
  );
  assert.equal((await fetchIt()).kind, 'done');
  assert.deepEqual(
    seen.map((request) => request.range),
    [undefined, 'bytes=1000-'],
  );
  assertWhole(file);
});

test('a refused connection and a host that does not exist are unavailable, with the reason', async (t) => {
  const folder = await temporaryFolder(t);
  const free = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  for (const [url, reason] of [
    [`http://127.0.0.1:${port}/x`, /ECONNREFUSED/],
    // Labels of names have at most 63 characters, so that no resolver is asked.
    [`http://${'a'.repeat(70)}.invalid/x`, /ENOTFOUND|EAI_/],
  ] as const) {
    const file = path.join(folder, 'x');
    const result = await downloadFile({ url, file, md5, backoffMs: 5, offlineTimeoutMs: 2000 });
    assert.equal(result.kind, 'unavailable');
    assert.match((result as { reason: string }).reason, reason);
    assert.ok(!existsSync(`${file}.part`), 'nothing has come, nothing is left');
  }
});

test('a folder that cannot be made is a reason, not a crash', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(path.join(folder, 'file'), '');
  const file = path.join(folder, 'file', 'x');
  const result = await downloadFile({ url: 'http://127.0.0.1:1/', file, md5 });
  assert.equal(result.kind, 'unavailable');
  assert.match((result as { reason: string }).reason, /cannot be written/);
});

test('endless answers, and addresses and checksums that are none, are refused', async (t) => {
  const { fetchIt } = await start(t, (response) => response.end(content), { maxBytes: 100_000 });
  await assert.rejects(fetchIt, /expected at most 100000 bytes/);
  const options = { file: '/nowhere', md5 };
  await assert.rejects(downloadFile({ ...options, url: 'file:///etc/passwd' }), ConfigError);
  await assert.rejects(
    downloadFile({ ...options, url: 'no address' }),
    /url: expected an http or https address/,
  );
  await assert.rejects(downloadFile({ ...options, url: 'http://127.0.0.1/', md5: 'ab' }), /md5: expected 32/);
});

test('two downloads of the same file at once both succeed', async (t) => {
  const { file, fetchIt } = await start(t, (response, request, index) => {
    sendRange(response, request, content, { bytes: index < 2 ? 70_000 : content.length });
  });
  const results = await Promise.all([fetchIt(), fetchIt()]);
  assert.deepEqual(
    results.map((result) => result.kind),
    ['done', 'done'],
  );
  assertWhole(file);
});

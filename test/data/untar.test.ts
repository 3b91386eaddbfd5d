import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { fuzzTar } from '../../scripts/soak/fuzz-tar.ts';
import { tarEntries, unpackTarGz } from '../../src/data/untar.ts';
import { FormatError } from '../../src/errors.ts';
import { randomIntegers } from '../helpers/arbitraries.ts';
import { soakBriefly } from '../helpers/soak.ts';
import { type TarMember, tar, tarGz } from './tar-writer.ts';
import { temporaryFolder } from './test-server.ts';

const limits = { maxBytes: 1_000_000, maxEntries: 20 };
const bytes = (text: string) => Buffer.from(text);

async function archiveOf(t: TestContext, content: Buffer): Promise<{ archive: string; target: string }> {
  const folder = await temporaryFolder(t);
  const archive = path.join(folder, 'a.tar.gz');
  writeFileSync(archive, content);
  return { archive, target: path.join(folder, 'out') };
}

/** Everything in an archive, by name. */
async function listed(archive: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const entry of tarEntries(archive, limits)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry.body) pieces.push(piece);
    found[entry.name] = Buffer.concat(pieces).toString();
  }
  return found;
}

const hostile: [string, TarMember, RegExp][] = [
  [
    'climbs out',
    { name: 'top/../../evil', content: bytes('x') },
    /a relative name .*"top\/\.\.\/\.\.\/evil"/,
  ],
  ['starts with ..', { name: '../evil' }, /a relative name/],
  ['is absolute', { name: '/etc/evil' }, /a relative name/],
  ['climbs out by its prefix', { prefix: '../..', name: 'evil' }, /a relative name/],
  ['uses backslashes', { name: 'top\\..\\evil' }, /a relative name/],
  ['is a file called .', { name: '.', content: bytes('x') }, /expected a file to have a name, got "\."/],
  ['names a drive', { name: 'C:evil' }, /a relative name/],
  [
    'is a symbolic link',
    { name: 'top/link', type: '2', linkName: '/etc' },
    /regular file or a folder, got a symbolic link/,
  ],
  ['is a hard link', { name: 'top/link', type: '1', linkName: '/etc/passwd' }, /got a hard link/],
  ['is a device', { name: 'top/dev', type: '3' }, /got type "3"/],
  [
    'has a wrong checksum',
    { name: 'top/a', checksumError: 1 },
    /header at byte 512: expected the checksum \d+, got \d+/,
  ],
  ['has no octal size', { name: 'top/a', size: Number.NaN }, /size in octal digits/],
];

for (const [what, member, message] of hostile) {
  test(`an entry that ${what} is refused, and nothing is left behind`, async (t) => {
    const { archive, target } = await archiveOf(t, tarGz([{ name: 'top/', type: '5' }, member]));
    await assert.rejects(
      unpackTarGz(archive, target, { ...limits, topFolder: 'top' }),
      (error) => error instanceof FormatError && message.test(error.message),
    );
    assert.deepEqual(readdirSync(path.dirname(target)), ['a.tar.gz']);
    assert.ok(!existsSync('/etc/evil'));
  });
}

test('files of any size come out as they went in', async (t) => {
  const folder = await temporaryFolder(t);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 1600 }), { maxLength: 5 }), async (contents) => {
      const archive = path.join(folder, 'a.tar.gz');
      writeFileSync(archive, tarGz(contents.map((content, i) => ({ name: `file${i}`, content }))));
      const want = contents.map((content, i) => [`file${i}`, Buffer.from(content).toString()]);
      assert.deepEqual(await listed(archive), Object.fromEntries(want));
    }),
    { numRuns: 50, seed: 21 },
  );
});

test('bodies may be left unread, or half read', async (t) => {
  const members = ['a', 'b', 'c'].map((name) => ({ name, content: Buffer.alloc(100_000, name) }));
  const { archive } = await archiveOf(t, tarGz(members));
  const names: string[] = [];
  for await (const entry of tarEntries(archive, limits)) {
    names.push(entry.name);
    if (entry.name === 'b') for await (const _ of entry.body) break;
  }
  assert.deepEqual(names, ['a', 'b', 'c']);
});

test('folders and pax records are passed over; prefixes and ./ are resolved', async (t) => {
  const { archive } = await archiveOf(
    t,
    tarGz([
      { name: 'pax_global_header', type: 'g', content: bytes('52 comment=0\n') },
      { name: 'top/', type: '5' },
      { name: './top/a', content: bytes('A') },
      { prefix: 'top/deep', name: 'b', content: bytes('B'), type: '\0' },
    ]),
  );
  assert.deepEqual(await listed(archive), { 'top/a': 'A', 'top/deep/b': 'B' });
});

test('a size may fill its field, whatever follows it', async (t) => {
  const whole = tar([
    { name: 'a', content: Buffer.alloc(600, 'x') },
    { name: 'b', content: bytes('B') },
  ]);
  // Twelve digits, and those of the time right behind them.
  whole.write('000000001130', 124);
  whole.write(
    whole
      .subarray(0, 512)
      .reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0)
      .toString(8)
      .padStart(6, '0'),
    148,
  );
  const { archive } = await archiveOf(t, gzipSync(whole));
  assert.deepEqual(await listed(archive), { a: 'x'.repeat(600), b: 'B' });
});

test('the top folder becomes the target; what lies outside it is not written', async (t) => {
  const { archive, target } = await archiveOf(
    t,
    tarGz([
      { name: 'top/a', content: bytes('A') },
      { name: 'top/deep/b', content: bytes('B') },
      { name: 'topology', content: bytes('no') },
      { name: 'other/c', content: bytes('no') },
    ]),
  );
  await unpackTarGz(archive, target, { ...limits, topFolder: 'top' });
  assert.deepEqual(readdirSync(target).sort(), ['a', 'deep']);
  assert.equal(readFileSync(path.join(target, 'deep', 'b'), 'utf8'), 'B');
  assert.deepEqual(readdirSync(path.dirname(target)).sort(), ['a.tar.gz', 'out']);
});

test('where the target is there already, it stays', async (t) => {
  const { archive, target } = await archiveOf(t, tarGz([{ name: 'top/a', content: bytes('new') }]));
  mkdirSync(target);
  writeFileSync(path.join(target, 'a'), 'old');
  await unpackTarGz(archive, target, { ...limits, topFolder: 'top' });
  assert.equal(readFileSync(path.join(target, 'a'), 'utf8'), 'old');
});

test('what killed runs left is removed, what a run at work has is not', async (t) => {
  const { archive, target } = await archiveOf(t, tarGz([{ name: 'top/a' }]));
  mkdirSync(`${target}.partial-old`);
  utimesSync(`${target}.partial-old`, new Date(0), new Date(0));
  mkdirSync(`${target}.partial-new`);
  await unpackTarGz(archive, target, { ...limits, topFolder: 'top' });
  assert.deepEqual(readdirSync(path.dirname(target)).sort(), ['a.tar.gz', 'out', 'out.partial-new']);
});

test('damaged, truncated and empty archives are refused', async (t) => {
  const whole = tar([{ name: 'top/a', content: Buffer.alloc(5000, 1) }]);
  const cases: [Buffer, RegExp][] = [
    [
      gzipSync(whole).subarray(0, -20),
      /compression: expected a readable, whole gzip stream, got unexpected end of file/,
    ],
    [Buffer.from('no gzip at all'), /compression: .*incorrect header check/],
    [
      gzipSync(whole.subarray(0, 3000)),
      /length: expected two blocks of zeros at the end, got the end at byte 3000/,
    ],
    [gzipSync(whole.subarray(0, -1024)), /two blocks of zeros/],
    [gzipSync(Buffer.alloc(0)), /two blocks of zeros/],
    [gzipSync(Buffer.alloc(1024)), /content: expected files in top\/, got none/],
    [tarGz([{ name: 'top/a' }, { name: 'top/a' }]), /entry top\/a: expected a name that occurs once/],
  ];
  for (const [content, message] of cases) {
    const { archive, target } = await archiveOf(t, content);
    await assert.rejects(
      unpackTarGz(archive, target, { ...limits, topFolder: 'top' }),
      (error: Error) => error instanceof FormatError && message.test(error.message),
      String(message),
    );
    assert.ok(!existsSync(target));
  }
  await assert.rejects(listed('/nowhere/a.tar.gz'), /ENOENT/);
});

test('an archive that is refused early, or left early, is closed', {
  skip: !existsSync('/proc/self/fd'),
}, async (t) => {
  // More than the reader takes at once, and than it can compress.
  const noise = { name: 'noise', content: Buffer.from(randomIntegers(1, 500_000, 127).map((x) => x + 127)) };
  const isOpen = (file: string) =>
    readdirSync('/proc/self/fd').some((name) => {
      try {
        return readlinkSync(path.join('/proc/self/fd', name)) === realpathSync(file);
      } catch {
        // The descriptor of the listing itself.
        return false;
      }
    });
  for (const first of ['top/a', '../evil']) {
    const { archive } = await archiveOf(t, tarGz([{ name: first }, noise]));
    const leave = async () => {
      for await (const _ of tarEntries(archive, limits)) {
        assert.ok(isOpen(archive));
        break;
      }
    };
    if (first === 'top/a') await leave();
    else await assert.rejects(leave, FormatError);
    for (let turns = 0; turns < 100 && isOpen(archive); turns++) await setTimeout(10);
    assert.ok(!isOpen(archive), `${first}: still open`);
  }
});

test('what is allowed, and not a byte more, is read to its end', async (t) => {
  const members = [{ name: 'a', content: Buffer.alloc(1000) }, { name: 'b' }];
  const { archive } = await archiveOf(t, tarGz(members));
  const unpack = async (maxBytes: number, maxEntries: number) => {
    let read = 0;
    for await (const { body } of tarEntries(archive, { maxBytes, maxEntries })) {
      for await (const piece of body) read += piece.length;
    }
    return read;
  };
  // Two headers, the file in two blocks, and one block of zeros, at which reading ends.
  assert.equal(await unpack(5 * 512, 2), 1000);
  await assert.rejects(unpack(5 * 512 - 1, 2), /size: expected at most 2559 bytes/);
  await assert.rejects(unpack(5 * 512, 1), /entries: expected at most 1, got more/);
});

test('whatever strangers put in an archive, no name leads out of its folder', async (t) => {
  await soakBriefly(t, fuzzTar, 300);
});

test('an archive that unpacks to more than allowed is stopped, whatever its headers say', async (t) => {
  const bomb = tarGz([{ name: 'top/a', content: Buffer.alloc(3_000_000) }]);
  const many = tarGz(Array.from({ length: 21 }, (_, i) => ({ name: `top/${i}` })));
  const liar = tarGz([{ name: 'top/a', size: 8 ** 11 - 1 }]);
  for (const [content, message] of [
    [bomb, /size: expected at most 1000000 bytes/],
    [many, /entries: expected at most 20/],
    [liar, /length|size/],
  ] as const) {
    const { archive, target } = await archiveOf(t, content);
    await assert.rejects(unpackTarGz(archive, target, { ...limits, topFolder: 'top' }), message);
  }
});

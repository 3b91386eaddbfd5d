/** The guard in front of the scripts: one clear line on an old Node, otherwise as if it were not there. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const guard = resolve(import.meta.dirname, '../../scripts/require-node.mjs');
const folder = mkdtempSync(join(tmpdir(), 'faltung-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a script into the test's folder. */
function script(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });

/** Makes the process believe that it runs on another Node. */
const pretend = (version: string): string[] => {
  const versions = `{ value: { ...process.versions, node: ${JSON.stringify(version)} } }`;
  return ['--import', `data:text/javascript,Object.defineProperty(process, 'versions', ${versions})`];
};

script('empty.ts', 'const x: number = 1;\nconsole.log("ran", x);\n');

for (const version of ['18.20.0', '20.20.2', '22.18.0', '24.2.0']) {
  test(`Node ${version} is refused in one line with exit code 1`, () => {
    for (const args of [[guard], [guard, 'empty.ts', '--epochs', '1']]) {
      const { status, stdout, stderr } = run(...pretend(version), ...args);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        /^Faltung's scripts need Node 24\.3 or newer, this is [\d.]+: run "npm ci" [^\n]*\n$/,
      );
      assert.ok(stderr.includes(version));
    }
  });
}

for (const version of ['24.3.0', '25.0.0', '26.10.0', '100.0.0']) {
  test(`Node ${version} runs the script`, () => {
    const { status, stdout, stderr } = run(...pretend(version), guard, 'empty.ts');
    assert.deepEqual([status, stdout, stderr], [0, 'ran 1\n', '']);
  });
}

test('without a script, a new Node passes in silence', () => {
  const { status, stdout, stderr } = run(guard);
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

test('the script sees the arguments, and its own place, as without the guard', () => {
  script('argv.ts', 'console.log(JSON.stringify([process.argv, process.execArgv]));\n');
  const args = ['argv.ts', '--limit', '5', '', 'two words', '--', '-x'];
  assert.equal(run(guard, ...args).stdout, run(...args).stdout);
});

test("the script's exit code and errors pass through", () => {
  script('exit.ts', 'process.exitCode = 7;\n');
  script('throw.ts', 'await null;\nthrow new Error("the reason");\n');
  assert.equal(run(guard, 'exit.ts').status, 7);
  const { status, stderr } = run(guard, 'throw.ts');
  assert.equal(status, 1);
  assert.match(stderr, /Error: the reason\n\s+at .*throw\.ts:2/);
});

test('a signal reaches the script, which runs in the same process', {
  skip: process.platform === 'win32',
}, async () => {
  const text = `process.on('SIGINT', () => { console.log('caught'); process.exit(5); });
setInterval(() => {}, 1000);
console.log(process.pid);
`;
  script('signal.ts', text);
  const child = spawn(process.execPath, [guard, 'signal.ts'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
    if (chunk.endsWith(`${child.pid}\n`)) child.kill('SIGINT');
  });
  assert.deepEqual(await once(child, 'close'), [5, null]);
  assert.equal(printed, `${child.pid}\ncaught\n`);
});

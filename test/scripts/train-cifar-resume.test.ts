/** `npm run train:cifar`, stopped, killed, and gone on with. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { COMMAND, parseOptions } from '../../scripts/train-cifar/options.ts';
import { readConfig } from '../../scripts/training/run-folder.ts';
import { FaltungError } from '../../src/errors.ts';
import { load, readEpochEvents, weightsSha256 } from '../../src/index.ts';
import { startTraining } from '../helpers/command.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const RUN = ['--data', 'synthetic', '--limit', '48', '--batch-size', '8', '--checkpoint-every', '2'];

interface Result {
  readonly weightsSha256: string;
  readonly epochs: readonly Record<string, number>[];
}

function resultOf(out: string): Result {
  const { weightsSha256: hash, epochs } = JSON.parse(readFileSync(path.join(out, 'result.json'), 'utf8'));
  return {
    weightsSha256: hash,
    epochs: epochs.map(({ seconds: _, imagesPerSecond: __, ...rest }: Record<string, number>) => rest),
  };
}

async function finished(args: readonly string[]) {
  const ended = await startTraining(args).ended;
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  return ended;
}

/** A run of three epochs that nothing stops. */
const whole = (async () => {
  const out = temporaryFolder();
  await finished([...RUN, '--epochs', '3', '--threads', '1', '--out', out]);
  await using model = await load(path.join(out, 'model.safetensors'));
  const result = resultOf(out);
  assert.equal(weightsSha256(model), result.weightsSha256, 'model.safetensors is the trained model');
  return result;
})();

describe('Ctrl-C', () => {
  test('finishes the step, saves, says how to go on; the run that goes on is the one that never stopped', async () => {
    const out = temporaryFolder();
    const run = startTraining([...RUN, '--epochs', '900', '--threads', '2', '--out', out]);
    await run.printed(/Epoch 1\/900/);
    run.interrupt();
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 130, stdout + stderr);
    assert.match(stderr, /Finishing the step in hand and saving \(again: stops at once\)/);
    assert.match(
      stdout,
      /^Stopped in epoch \d+ of 900, after step \d+ of 6\. Saved; this goes on with it:$/m,
    );
    assert.ok(stdout.includes(`  npm run train:cifar -- --resume ${out}\n`));
    assert.ok(!existsSync(path.join(out, 'result.json')));
    const page = readFileSync(path.join(out, 'report.html'), 'utf8');
    assert.match(page, /Stopped in epoch \d+ of 900, after step \d+ of 6\./);
    const epochs = Number(/Stopped in epoch (\d+)/.exec(stdout)![1]) + 1;
    const resumed = await finished(['--resume', out, '--epochs', String(epochs), '--threads', '3']);
    assert.match(resumed.stdout, /Going on with the run in /);
    const straight = temporaryFolder();
    await finished([...RUN, '--epochs', String(epochs), '--threads', '1', '--out', straight]);
    assert.deepEqual(resultOf(out), resultOf(straight));
    const table = readFileSync(path.join(out, 'metrics.csv'), 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      table.slice(1).map((line) => Number(line.split(',')[0])),
      Array.from({ length: epochs }, (_, i) => i + 1),
    );
    const events = readEpochEvents(readFileSync(path.join(out, 'metrics.jsonl'), 'utf8'));
    assert.deepEqual(
      events.map(({ epoch, valLoss }) => [epoch, valLoss]),
      resultOf(out).epochs.map(({ epoch, valLoss }) => [epoch, valLoss]),
    );
  });

  test('twice stops at once, in the middle of a step; SIGTERM is another exit code', async () => {
    const out = temporaryFolder();
    const slow = ['--limit', '512', '--batch-size', '512', '--engine', 'scalar', '--threads', '2'];
    const run = startTraining(['--data', 'synthetic', '--out', out, ...slow]);
    await run.printed(/Recipe/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    run.interrupt();
    await run.complained(/Finishing the step/);
    const at = performance.now();
    run.terminate();
    const { code, stdout } = await run.ended;
    assert.equal(code, 143);
    // The step takes many seconds; the rest is room for a loaded machine to end a process.
    assert.ok(performance.now() - at < 5000);
    assert.doesNotMatch(stdout, /Stopped/);
  });
});

test('kill -9 at any moment, again and again: the run that goes on is the one that never stopped', async () => {
  const out = temporaryFolder();
  const expected = await whole;
  let args = [...RUN, '--epochs', '3', '--threads', '2', '--out', out];
  for (let kill = 0; kill < 3; kill++) {
    const run = startTraining(args);
    await run.printed(/numerics '/);
    await new Promise((resolve) => setTimeout(resolve, 40 + 60 * kill));
    run.kill();
    const { code } = await run.ended;
    assert.ok(code === null || code === 0);
    if (existsSync(path.join(out, 'config.json'))) args = ['--resume', out, '--threads', '2'];
  }
  await finished(args);
  assert.deepEqual(resultOf(out), expected);
  const left = readdirSync(path.join(out, 'checkpoints'));
  assert.ok(
    left.length === 2 && left.every((name) => /^checkpoint-\d{8}\.safetensors$/.test(name)),
    String(left),
  );
});

describe('what cannot be gone on with is refused in one readable paragraph', () => {
  async function failure(args: readonly string[], message: RegExp, code = 1) {
    const ended = await startTraining(args).ended;
    assert.equal(ended.code, code, ended.stdout + ended.stderr);
    assert.match(ended.stderr.trim(), message);
  }

  test('a folder that is none, or no run', async () => {
    const folder = temporaryFolder();
    const none = path.join(folder, 'none');
    await failure(
      ['--resume', none],
      /^train:cifar --resume, .*none.config\.json: expected to read it, got ENOENT.*\(name the folder of a run/,
    );
    await failure(['--resume', folder], /expected to read it, got ENOENT/);
    await failure(['--resume', folder, '--seed', '1'], /--resume: expected only options/, 2);
  });

  test('a configuration that is broken, of later versions, or hostile', async () => {
    const folder = temporaryFolder();
    const good = { format: 'faltung-run', version: 1, command: 'train:cifar', options: { seed: 1 } };
    const refused: [string, RegExp][] = [
      ['{"format"', /byte 9: expected ':', got the end/],
      ['[]', /expected the configuration of a run of train:cifar/],
      [JSON.stringify({ ...good, version: 2 }), /version: expected 1, got 2 \(update Faltung/],
      [
        JSON.stringify({ ...good, options: { seed: -1 } }),
        /--seed: expected a whole number from 0 on, got "-1"/,
      ],
      [JSON.stringify({ ...good, options: { frob: 1 } }), /'--frob'/],
      [JSON.stringify({ ...good, options: { seed: [1] } }), /seed: expected a text or a number, got \[1\]/],
      [JSON.stringify({ ...good, options: { resume: '/' } }), /--resume/],
      [
        '{"format":"faltung-run","version":1,"command":"train:cifar","options":{"__proto__":{}}}',
        /got "__proto__"/,
      ],
      [' '.repeat(70_000), /at most 65536 characters/],
    ];
    for (const [text, message] of refused) {
      writeFileSync(path.join(folder, 'config.json'), text);
      await assert.rejects(readConfig(COMMAND, folder, parseOptions), (error: Error) => {
        assert.ok(error instanceof FaltungError, String(error));
        assert.doesNotMatch(error.message, /\n/);
        assert.match(error.message, message);
        return true;
      });
    }
    // Options are read as those of a command line; the command tells them from its own.
    for (const [text, message] of refused.slice(2, 4)) {
      writeFileSync(path.join(folder, 'config.json'), text);
      await failure(['--resume', folder], message);
    }
  });

  test('a folder with a run is not overwritten', async () => {
    const out = temporaryFolder();
    mkdirSync(path.join(out, 'checkpoints'));
    writeFileSync(path.join(out, 'checkpoints', 'checkpoint-00000001.safetensors'), '');
    await failure(
      [...RUN, '--out', out],
      /--out: expected a folder without a run, got .*00000001\.safetensors \(--resume in the place/,
    );
    writeFileSync(
      path.join(out, 'config.json'),
      JSON.stringify({
        format: 'faltung-run',
        version: 1,
        command: 'train:cifar',
        options: { data: 'synthetic', limit: 8 },
      }),
    );
    await failure(
      ['--resume', out],
      /expected at least one checkpoint that is whole, got 1 damaged: .*\(start the run anew\)/,
    );
  });
});

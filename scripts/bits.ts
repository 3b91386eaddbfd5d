/**
 * `npm run bits`: the same bits everywhere. Trains the recipe (bits/recipe.ts) with the built package on other Nodes,
 * with one and several workers, in 256-bit, 128-bit and scalar code, and on 64-bit Arm by emulation, and compares what
 * it leaves with the fingerprint that is committed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { EngineOptions } from '../src/index.ts';
import { armEmulator } from './bits/arm.ts';
import { differences, readExpected, writeExpected } from './bits/expected.ts';
import { ARM_VERSIONS, type Command, NODE_VERSIONS, nodeBinary } from './bits/nodes.ts';
import type { Fingerprint } from './bits/recipe.ts';

const HELP = `npm run bits -- [options]

  --nodes A,B    versions of Node on x86-64; default ${NODE_VERSIONS.join(',')}
  --arm A,B      versions of Node on 64-bit Arm, emulated; default ${ARM_VERSIONS.join(',')}; 'none' for none
  --folder DIR   where downloads are kept; default ~/.cache/faltung/bits
  --write        commits to the fingerprint of the pinned Node: for a change of bits that is wanted
  --help

Needs 'npm run build'. Downloads about 60 MB a Node and, for Arm, 65 MB of Debian's packages.
Exit codes: 0 all equal, 1 something differs or failed, 2 wrong options, 3 all equal, but some could not be tried.
`;

const EXIT = { differs: 1, usage: 2, incomplete: 3 } as const;
const root = path.resolve(import.meta.dirname, '..');
const LIBRARY = path.join(root, 'dist', 'src', 'index.js');
/** Without a new line of output for so long, a run is given up. Emulated ones take minutes. */
const SILENCE_MS = 600_000;

const VARIANTS: readonly EngineOptions[] = [
  { threads: 1 },
  { threads: 3 },
  { threads: 8 },
  { threads: 2, wide: false },
  { threads: 2, engine: 'scalar' },
];
/** Emulation is slow. */
const ARM_VARIANTS: readonly EngineOptions[] = [
  { threads: 1 },
  { threads: 3 },
  { threads: 2, engine: 'scalar' },
];

/** Where the recipe is to run. */
interface Place {
  readonly name: string;
  readonly variants: readonly EngineOptions[];
  /** Throws an Error that says why it cannot be had. */
  command(): Command;
}

interface Tally {
  equal: number;
  failed: number;
  readonly missing: string[];
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return EXIT.usage;
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!existsSync(LIBRARY)) {
    console.error("bits: dist/ is not there; run 'npm run build' first");
    return EXIT.usage;
  }
  mkdirSync(options.folder, { recursive: true });
  const script = compileChild(options.folder);
  if (options.write) return write(script);
  const expected = readExpected();
  console.log(`expected  weights ${short(expected.weights)}  outputs ${short(expected.outputs)}\n`);
  const tally: Tally = { equal: 0, failed: 0, missing: [] };
  for (const place of placesOf(options)) await tryPlace(place, script, expected, tally);
  for (const missing of tally.missing) console.log(`NOT TRIED  ${missing}`);
  console.log(`\n${tally.equal} runs equal, ${tally.failed} not, ${tally.missing.length} places not tried`);
  if (tally.failed > 0) return EXIT.differs;
  return tally.missing.length > 0 ? EXIT.incomplete : 0;
}

interface Options {
  readonly nodes: readonly string[];
  readonly arm: readonly string[];
  readonly folder: string;
  readonly write: boolean;
  readonly help: boolean;
}

function readOptions(): Options | undefined {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  const string = { type: 'string' } as const;
  const boolean = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      options: { nodes: string, arm: string, folder: string, write: boolean, help: boolean },
    });
    const list = (text: string | undefined, all: readonly string[]) => {
      if (text === undefined) return all;
      const versions = text === 'none' ? [] : text.split(',');
      const bad = versions.find((version) => !/^\d+\.\d+\.\d+$/.test(version));
      if (bad !== undefined) throw new Error(`expected versions such as 22.23.3, got '${bad}'`);
      return versions;
    };
    return {
      nodes: list(values.nodes, NODE_VERSIONS),
      arm: list(values.arm, ARM_VERSIONS),
      folder: path.resolve(values.folder ?? path.join(cache, 'faltung', 'bits')),
      write: values.write,
      help: values.help,
    };
  } catch (error) {
    console.error(`bits: ${error instanceof Error ? error.message : error}\n\n${HELP}`);
    return undefined;
  }
}

function placesOf({ nodes, arm, folder }: Options): Place[] {
  const here = `${process.platform}-${process.arch}`;
  const onLinux = (command: () => Command) => (): Command => {
    if (here !== 'linux-x64') throw new Error(`binaries are fetched on linux-x64 only, this is ${here}`);
    return command();
  };
  return [
    ...nodes.map((version) => ({
      name: `Node ${version} x86-64`,
      variants: VARIANTS,
      command: (): Command =>
        version === process.versions.node
          ? [process.execPath]
          : onLinux(() => [nodeBinary(folder, version, 'x64')])(),
    })),
    ...arm.map((version) => ({
      name: `Node ${version} Arm, emulated`,
      variants: ARM_VARIANTS,
      command: onLinux(() => [...armEmulator(folder), nodeBinary(folder, version, 'arm64')]),
    })),
  ];
}

/** The child and the recipe as JavaScript that the oldest Node can read. */
function compileChild(folder: string): string {
  // That Node calls its stripping of types experimental is no news here.
  process.removeAllListeners('warning');
  for (const name of ['recipe', 'child']) {
    const source = readFileSync(path.join(import.meta.dirname, 'bits', `${name}.ts`), 'utf8');
    const text = stripTypeScriptTypes(source).replaceAll(`'./recipe.ts'`, `'./recipe.mjs'`);
    writeFileSync(path.join(folder, `${name}.mjs`), text);
  }
  return path.join(folder, 'child.mjs');
}

async function tryPlace(place: Place, script: string, expected: Fingerprint, tally: Tally): Promise<void> {
  let command: Command;
  try {
    command = place.command();
  } catch (error) {
    tally.missing.push(`${place.name}: ${error instanceof Error ? error.message : error}`);
    return;
  }
  let done = 0;
  const say = (what: string, result: string) =>
    console.log(`${place.name.padEnd(27)} ${what.padEnd(25)} ${result}`);
  const failure = await runChild(command, script, place.variants, ({ options, found, seconds }) => {
    const different = differences(expected, found);
    if (different.length === 0) tally.equal += 1;
    else tally.failed += 1;
    const verdict = different.length === 0 ? 'equal' : `DIFFERENT: ${different.join(', ')}`;
    say(describe(options), `${verdict}  ${seconds.toFixed(1)} s`);
    done += 1;
  });
  if (failure === undefined && done === place.variants.length) return;
  tally.failed += 1;
  say(describe(place.variants[done] ?? {}), `FAILED: ${failure ?? 'ended early'}`);
}

interface ChildResult {
  readonly options: EngineOptions;
  readonly found: Fingerprint;
  readonly seconds: number;
}

/** Runs the child; what went wrong, or undefined. */
function runChild(
  [program, ...args]: Command,
  script: string,
  variants: readonly EngineOptions[],
  onResult: (result: ChildResult) => void,
): Promise<string | undefined> {
  const child = spawn(program, [...args, script, pathToFileURL(LIBRARY).href, JSON.stringify(variants)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
  const limit = setTimeout(() => child.kill('SIGKILL'), SILENCE_MS);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    limit.refresh();
    onResult(JSON.parse(line) as ChildResult);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      clearTimeout(limit);
      resolve(error.message);
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      const reason = signal ?? `exit code ${code}`;
      resolve(code === 0 ? undefined : `${reason} ${complaint.trim().split('\n').slice(-4).join(' | ')}`);
    });
  });
}

async function write(script: string): Promise<number> {
  let found: Fingerprint | undefined;
  const failure = await runChild([process.execPath], script, [{ threads: 1, engine: 'scalar' }], (result) => {
    found = result.found;
  });
  if (failure !== undefined || found === undefined) {
    console.error(`bits: ${failure ?? 'no result'}`);
    return EXIT.differs;
  }
  writeExpected(found);
  console.log(`written: weights ${short(found.weights)}; say so under "Bits" in CHANGELOG.md`);
  return 0;
}

function describe({ threads, engine = 'simd', wide = true }: EngineOptions): string {
  const code = engine === 'scalar' ? 'scalar' : wide ? 'simd' : 'simd, 128 bits';
  return `${code}, ${threads} ${threads === 1 ? 'worker' : 'workers'}`;
}

function short(hash: string): string {
  return hash.slice(0, 16);
}

process.exitCode = await main();

/** `npm run ui -- RUN`: shows the folder of a run in the browser: finished, stopped, or under way elsewhere. */
import { parseArgs } from 'node:util';
import { ConfigError } from '../src/errors.ts';
import { showRun } from '../src/ui/index.ts';
import { wholeNumber } from './arguments.ts';
import { EXIT, runCommand, shellQuoted } from './command.ts';
import { samplesOfRun } from './ui/samples.ts';

const HELP = `Shows a run in the browser: curves, samples with the model's answers, filters. Of a run that is
under way in another process the page follows the folder.

  npm run ui -- RUN [--port N]

  RUN        the run's folder, such as runs/<date>-cifar
  --port N   on 127.0.0.1; default: a free one
  --help     this text

Ctrl-C ends it. To pause and stop a run from the page, start the run with --ui.
`;

interface UiOptions {
  readonly run: string;
  readonly port: number;
}

function read(args: readonly string[]): UiOptions {
  const refuse = (expected: string, received: string) =>
    new ConfigError({ operation: 'ui', argument: 'options', expected, received });
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw refuse('what --help lists', error instanceof Error ? error.message : String(error));
  }
  const { positionals, values } = parsed;
  if (positionals.length !== 1) throw refuse("one run's folder", positionals.join(' ') || 'none');
  return { run: positionals[0]!, port: wholeNumber('ui', 'port', values.port, 0, 65_535) ?? 0 };
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], allowPositionals: true, options: { port: { type: 'string' } } });
}

async function run({ run: folder, port }: UiOptions): Promise<number> {
  const { samples, missing } = await samplesOfRun(folder);
  const shown = await showRun(folder, { port, ...(samples && { samples }) });
  const { status, records } = shown.view;
  process.stdout.write(`${shellQuoted(folder)}: ${status}, ${records.length} epochs\n`);
  if (missing !== undefined) process.stdout.write(`Without samples: ${missing}\n`);
  process.stdout.write(`${shown.url}\n`);
  // A page keeps no process alive by itself.
  const alive = setInterval(() => {}, 3_600_000);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  clearInterval(alive);
  await shown.close();
  return EXIT.done;
}

await runCommand({ help: HELP, read, run });

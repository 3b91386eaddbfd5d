/** What all command lines do alike: errors as one paragraph, exit codes that scripts can rely on. */
import { ConfigError, FaltungError } from '../src/errors.ts';

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** A command line: how it reads its options, and what it does with them. */
export interface Command<Options> {
  readonly help: string;
  /** Throws ConfigError for options that make no sense. */
  read(args: readonly string[]): Options | Promise<Options>;
  /** Returns the exit code. */
  run(options: Options): Promise<number>;
}

/** Runs a command on the process's arguments and sets its exit code. */
export async function runCommand<Options>(command: Command<Options>): Promise<void> {
  // Whoever reads the output may stop reading: `... | head`.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(EXIT.failed);
    });
  }
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(command.help);
    return;
  }
  process.exitCode = await attempt(command, args);
}

async function attempt<Options>(command: Command<Options>, args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = await command.read(args);
  } catch (error) {
    const usage = error instanceof ConfigError;
    complain(usage ? `${error.message}. --help shows all options.` : textOf(error));
    return usage ? EXIT.usage : EXIT.failed;
  }
  try {
    return await command.run(options);
  } catch (error) {
    complain(textOf(error));
    return EXIT.failed;
  }
}

/** An error of the library in its own words; of others the stack, for whoever mends it. */
function textOf(error: unknown): string {
  if (error instanceof FaltungError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Says what is wrong, apart from what was printed before. */
export function complain(message: string): void {
  process.stderr.write(`\n${message}\n`);
}

/** 1 epoch, 2 epochs. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** A text as one word of a shell's command line. */
export function shellQuoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

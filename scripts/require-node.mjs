/**
 * Stands in front of every script: `node scripts/require-node.mjs scripts/NAME.ts ARGUMENTS...`.
 *
 * The scripts are TypeScript, which only a newer Node runs directly; an older one fails with a parser's or
 * loader's error that explains nothing. So this file is JavaScript that an old Node understands, says in
 * one line what is missing, and otherwise continues as the script itself, in the same process: signals,
 * arguments and exit codes are the script's own. Without a script it only checks.
 *
 * `npm ci` installs a pinned Node as an optional dependency, and npm scripts find it before the system's.
 */
import module from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// 24.3 is the first long-term line that strips types without a flag and without a warning.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 3)) {
  process.stderr.write(
    `Faltung's scripts need Node 24.3 or newer, this is ${process.versions.node}: run "npm ci" without ` +
      '--omit=optional, which brings the pinned Node 26 for Linux and macOS (x64, arm64) and Windows (x64) ' +
      'to every npm script, or install a newer Node.\n',
  );
  process.exitCode = 1;
} else if (process.argv.length > 2) {
  // From the second start on, stripped and compiled code comes from a cache: a third of a second less (measured).
  // Workers read the variable.
  const { directory } = module.enableCompileCache();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
  process.argv.splice(1, 1);
  process.argv[1] = resolve(process.argv[1]);
  await import(pathToFileURL(process.argv[1]).href);
}

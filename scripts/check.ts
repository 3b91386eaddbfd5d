/**
 * `npm run check [-- NAME...]`: everything about the code that a program can judge, all of it or the checks
 * named. Prints a line a check and the offences under it as `file:line  message`; exits with 1 on any.
 */
import { resolve } from 'node:path';
import { checkDirections } from './check/directions.ts';
import { readSources, readTracked } from './check/files.ts';
import { checkIgnored } from './check/ignored.ts';
import { checkImports } from './check/imports.ts';
import { checkMathematics } from './check/mathematics.ts';
import { formatOffence, type Offence } from './check/offence.ts';
import { checkPlaces } from './check/places.ts';
import { checkReferences } from './check/references.ts';
import { checkSizes } from './check/sizes.ts';
import { checkLint, checkTypes } from './check/tools.ts';

const root = resolve(import.meta.dirname, '..');
const sources = readSources(root);
const tracked = readTracked(root);

const checks: Readonly<Record<string, () => Offence[]>> = {
  types: () => checkTypes(root),
  lint: () => checkLint(root),
  sizes: () => checkSizes(sources),
  imports: () => checkImports(sources),
  directions: () => checkDirections(sources),
  mathematics: () => checkMathematics(sources),
  ignored: () => checkIgnored(sources, tracked),
  places: () => checkPlaces(tracked),
  references: () => checkReferences(tracked),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) {
  console.error(`no check is called ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`);
  process.exit(1);
}

for (const [name, run] of Object.entries(checks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const offences = attempt(run);
  console.log(`${offences.length === 0 ? 'ok  ' : 'FAIL'}  ${name}`);
  for (const offence of offences) console.log(`      ${formatOffence(offence)}`);
  if (offences.length > 0) process.exitCode = 1;
}

/** A check that cannot run has failed; the others still speak. */
function attempt(run: () => Offence[]): Offence[] {
  try {
    return run();
  } catch (error) {
    return [{ path: '.', message: error instanceof Error ? error.message : String(error) }];
  }
}

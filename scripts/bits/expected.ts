/** The fingerprint that is committed: what every run of the recipe must leave, everywhere and for ever. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Fingerprint } from './recipe.ts';

const FILE = path.join(import.meta.dirname, 'expected.json');

export function readExpected(): Fingerprint {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Fingerprint;
}

/** For a change of bits that is wanted; CHANGELOG says so then. */
export function writeExpected(fingerprint: Fingerprint): void {
  writeFileSync(FILE, `${JSON.stringify(fingerprint, null, 2)}\n`);
}

/** The fields that differ. */
export function differences(expected: Fingerprint, received: Fingerprint): string[] {
  return (['weights', 'metrics', 'outputs'] as const).filter((name) => expected[name] !== received[name]);
}

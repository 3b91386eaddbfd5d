/**
 * Runs the recipe in a process of its own, on whatever Node that is: `node child.mjs LIBRARY VARIANTS`, the address
 * of the built package's entry point and the engines as JSON. Writes a line of JSON for each.
 */
import { createHash } from 'node:crypto';
import type * as Library from '../../src/index.ts';
import { fingerprint } from './recipe.ts';

const [library, variants] = process.argv.slice(2) as [string, string];
const faltung = (await import(library)) as typeof Library;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

for (const options of JSON.parse(variants) as Library.EngineOptions[]) {
  const started = performance.now();
  const engine = faltung.createEngine(options);
  const found = await fingerprint(faltung, engine, sha256);
  await engine.close();
  const { node, v8 } = process.versions;
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${JSON.stringify({ options, found, node, v8, arch: process.arch, seconds })}\n`);
}

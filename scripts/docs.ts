/**
 * `npm run docs`: writes docs/api, the public interface as its docstrings describe it. With `--check` it writes nothing,
 * says which pages are not what it would write, and exits with 1 where there are any.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkDocs } from './check/docs.ts';
import { readTracked } from './check/files.ts';
import { formatOffence } from './check/offence.ts';
import { renderApi } from './docs/render.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'docs/api');
const pages = renderApi(root);
if (process.argv.includes('--check')) {
  const offences = checkDocs(readTracked(root), pages);
  for (const offence of offences) console.log(formatOffence(offence));
  if (offences.length > 0) process.exitCode = 1;
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of pages) writeFileSync(join(folder, name), text);
  console.log(`docs/api: ${[...pages.keys()].join(', ')}`);
}

/** `npm run docs`: writes docs/api, the public interface as its docstrings describe it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { renderApi } from './docs/render.ts';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'docs/api');
const pages = renderApi(root);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of pages) writeFileSync(join(folder, name), text);
console.log(`docs/api: ${[...pages.keys()].join(', ')}`);

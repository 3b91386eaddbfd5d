/**
 * The compiler rewrites `./name.ts` to `./name.js` in the JavaScript it emits, but not in declarations. There
 * `./name.ts` works for TypeScript itself and confuses other readers, so it is rewritten here.
 */
import { importsOf, isRelative } from '../check/imports.ts';

/** A declaration file with every relative `.ts` import, `import('...')` types included, made `.js`. */
export function rewriteDeclarations(text: string): string {
  let out = '';
  let copied = 0;
  for (const { specifier, offset } of importsOf(text)) {
    if (!isRelative(specifier) || !specifier.endsWith('.ts') || specifier.endsWith('.d.ts')) continue;
    const end = offset + specifier.length;
    out += `${text.slice(copied, end - '.ts'.length)}.js`;
    copied = end;
  }
  return out + text.slice(copied);
}

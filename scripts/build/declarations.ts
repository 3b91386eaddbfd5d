/**
 * What the compiler leaves undone in the declarations it emits.
 *
 * It rewrites `./name.ts` to `./name.js` in JavaScript only. In declarations `./name.ts` works for TypeScript
 * itself and confuses other readers, so it is rewritten here.
 *
 * It emits nothing for ambient declarations (src/NAME.d.ts: globals such as WebAssembly, which no library of
 * types but the DOM's has). Published as they are, they would clash with the DOM's in a user's project; left
 * out, the names would be missing in a project without the DOM. Empty interfaces of the same names satisfy
 * both: they merge with what is there, and our declarations only pass such objects on.
 */
import { blank } from '../check/blank.ts';
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

/**
 * The published form of `declare namespace NAME { ... }`: an empty interface for each class and interface in
 * it. Throws Error on ambient declarations of another kind.
 */
export function publishedAmbient(text: string): string {
  const code = blank(text);
  const [namespace, ...others] = [...code.matchAll(/^declare ([^{]*)/gm)].map((match) => match[1]!.trim());
  if (namespace === undefined || others.length > 0 || !namespace.startsWith('namespace ')) {
    throw new Error('an ambient declaration file must hold one "declare namespace"');
  }
  const names = [...code.matchAll(/^ {2}(?:class|interface) (\w+)/gm)].map(
    (match) => `  interface ${match[1]} {}\n`,
  );
  return `declare ${namespace} {\n${names.join('')}}\n`;
}

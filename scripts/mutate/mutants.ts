/** All mutants of a source: every edit of every operator, except where nobody would notice by design. */
import type { AnyNode } from 'acorn';
import { type Edit, operators } from './operators.ts';
import { type Place, placesOf } from './source.ts';

/** One mistake in one file. */
export interface Mutant extends Edit {
  readonly file: string;
  readonly operator: string;
  /** Counted from 1. */
  readonly line: number;
  /** The lines touched, before and after, trimmed: they tell the mutant apart when lines above it change. */
  readonly before: string;
  readonly after: string;
}

/** The text with the mutant's edit. */
export function applyEdit(text: string, { start, end, text: put }: Edit): string {
  return text.slice(0, start) + put + text.slice(end);
}

/** All mutants of a file, in the order of its text, without duplicates. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const found = new Map<string, Mutant>();
  for (const place of placesOf(text)) {
    if (isExempt(place)) continue;
    for (const { name, edits } of operators) {
      for (const edit of edits(place, text)) {
        const key = `${edit.start} ${edit.end} ${edit.text}`;
        if (!found.has(key)) found.set(key, mutantOf(file, text, name, edit));
      }
    }
  }
  return [...found.values()];
}

function mutantOf(file: string, text: string, operator: string, edit: Edit): Mutant {
  const from = text.lastIndexOf('\n', edit.start - 1) + 1;
  const nextBreak = text.indexOf('\n', edit.end);
  const to = nextBreak === -1 ? text.length : nextBreak;
  const changed = applyEdit(text, edit).slice(from, to + edit.text.length - (edit.end - edit.start));
  return {
    ...edit,
    file,
    operator,
    line: text.slice(0, edit.start).split('\n').length,
    before: oneLine(text.slice(from, to)),
    after: oneLine(changed),
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/**
 * What an error says is not arithmetic, and `flops` only feeds reports: neither decides a result. Imports and
 * exports are names.
 */
function isExempt({ ancestors }: Place): boolean {
  return ancestors.some((node) => {
    const { type } = node as AnyNode;
    if (type === 'ThrowStatement' || type === 'ImportDeclaration') return true;
    if (type !== 'Property') return false;
    const { key } = node as Extract<AnyNode, { type: 'Property' }>;
    return key.type === 'Identifier' && (key.name === 'flops' || key.name === 'multiplyAdds');
  });
}

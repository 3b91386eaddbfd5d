/** A TypeScript source as a syntax tree: types are blanked out in place, so offsets are those of the source. */
import { stripTypeScriptTypes } from 'node:module';
import { type Node, parse } from 'acorn';
import { fullAncestor } from 'acorn-walk';

/** A node with what encloses it, outermost first, itself last. */
export interface Place {
  readonly node: Node;
  readonly ancestors: readonly Node[];
}

/** All nodes of a source, in the order of its text, outer ones first. Throws where it does not parse. */
export function placesOf(text: string): Place[] {
  const tree = parse(stripTypeScriptTypes(text), {
    ecmaVersion: 'latest',
    sourceType: 'module',
    preserveParens: true,
  });
  const places: Place[] = [];
  fullAncestor(tree, (node, _, ancestors) => {
    places.push({ node, ancestors: [...ancestors] });
  });
  return places.sort((a, b) => a.node.start - b.node.start || b.node.end - a.node.end);
}

/**
 * Changes JSON by its structure: numbers, names and values at the edges, members removed, doubled, moved, nested. Texts
 * are written by hand here, since what readers must refuse (the same key twice, 1e999) no JSON.stringify writes.
 */
import { EDGE_NAMES, EDGE_NUMBERS, type Random } from './random.ts';

/** A JSON value in which objects are lists of members, so that a key may occur twice, and a text may be anything. */
export type Tree = Raw | Tree[] | Members;
/** Text as it stands. */
interface Raw {
  readonly raw: string;
}
interface Members {
  readonly members: [key: string, value: Tree][];
}

const raw = (text: string): Raw => ({ raw: text });

/** The tree of plain data. */
function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value !== 'object' || value === null) return raw(JSON.stringify(value));
  return { members: Object.entries(value).map(([key, member]) => [key, treeOf(member)]) };
}

/** The text of a tree. */
export function textOf(tree: Tree): string {
  if (Array.isArray(tree)) return `[${tree.map(textOf).join(',')}]`;
  if ('raw' in tree) return tree.raw;
  return `{${tree.members.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(',')}}`;
}

/** Where a value stands: in a list or an object, at an index. */
interface Slot {
  readonly parent: Tree[] | Members;
  readonly index: number;
}

function slotsOf(tree: Tree, into: Slot[] = []): Slot[] {
  const children = childrenOf(tree);
  children.forEach((child, index) => {
    into.push({ parent: tree as Slot['parent'], index });
    slotsOf(child, into);
  });
  return into;
}

function childrenOf(tree: Tree): readonly Tree[] {
  if (Array.isArray(tree)) return tree;
  return 'members' in tree ? tree.members.map(([, value]) => value) : [];
}

function put({ parent, index }: Slot, value: Tree): void {
  if (Array.isArray(parent)) parent[index] = value;
  else parent.members[index]![1] = value;
}

const valueAt = ({ parent, index }: Slot): Tree =>
  Array.isArray(parent) ? parent[index]! : parent.members[index]![1];

/** A value that does not belong where it is put. */
function strange(random: Random): Tree {
  switch (random.int(8)) {
    case 0:
      return raw(
        random.pick(['null', 'true', 'false', '""', '[]', '{}', '-0', '0.5', '1e999', '-1', '1e-400', '01']),
      );
    case 1:
    case 2: {
      const text = BigInt(random.pick(EDGE_NUMBERS)).toString();
      return raw(
        random.pick([text, `-${text}`, `${text}.5`, `${text}e3`, `"${text}"`, `[${text}]`, `${text}.0`]),
      );
    }
    case 3:
      return raw(JSON.stringify(random.pick(EDGE_NAMES)));
    case 4:
      return Array.from({ length: random.int(40) }, () => raw(String(random.pick(EDGE_NUMBERS))));
    case 5: {
      const depth = random.int(random.chance(0.1) ? 20_000 : 80);
      return raw(
        random.pick(['['.repeat(depth) + ']'.repeat(depth), `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`]),
      );
    }
    case 6:
      return { members: [[random.pick(EDGE_NAMES), raw('1')]] };
    default:
      return raw(
        random.pick(['NaN', 'Infinity', 'undefined', "'a'", '"\\x"', '"\\ud800"', '"\t"', '/**/1', '', ',']),
      );
  }
}

/** Makes one change in place. */
function changeTree(random: Random, tree: Tree): void {
  const slots = slotsOf(tree);
  if (slots.length === 0) return;
  const slot = random.pick(slots);
  const { parent, index } = slot;
  switch (random.int(8)) {
    case 0:
    case 1:
      return put(slot, strange(random));
    case 2:
      // A copy: a value put into itself would have no end.
      return put(slot, structuredClone(valueAt(random.pick(slots))));
    case 3:
      if (Array.isArray(parent)) parent.splice(index, 1);
      else parent.members.splice(index, 1);
      return;
    case 4:
      if (Array.isArray(parent)) parent.splice(index, 0, valueAt(slot));
      else parent.members.splice(random.int(parent.members.length + 1), 0, [...parent.members[index]!]);
      return;
    case 5:
      if (!Array.isArray(parent)) parent.members[index]![0] = random.pick(EDGE_NAMES);
      return;
    case 6:
      if (!Array.isArray(parent)) parent.members.push([random.pick(EDGE_NAMES), strange(random)]);
      return;
    default:
      return changeNumber(random, slots);
  }
}

/** One number a little or much different. */
function changeNumber(random: Random, slots: readonly Slot[]): void {
  const numbers = slots.filter((slot) => {
    const value = valueAt(slot);
    return 'raw' in value && /^\d+$/.test(value.raw);
  });
  if (numbers.length === 0) return;
  const slot = random.pick(numbers);
  const value = BigInt((valueAt(slot) as Raw).raw);
  const other = random.pick([
    value + 1n,
    value - 1n,
    value * 2n,
    -value,
    value + 4n,
    BigInt(random.pick(EDGE_NUMBERS)),
  ]);
  put(slot, raw(other.toString()));
}

/** The text of data after one to four changes; in one of eight texts the bytes are changed too (by the caller). */
export function changedJson(random: Random, data: unknown): string {
  const tree = treeOf(data);
  const changes = random.pick([1, 1, 1, 2, 3, 4]);
  for (let i = 0; i < changes; i++) changeTree(random, tree);
  return textOf(tree);
}

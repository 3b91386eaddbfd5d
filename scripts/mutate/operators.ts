/**
 * The mutation operators: each makes one small mistake of the kind that people make in kernels and parsers.
 * docs/reliability.md lists them. An operator looks at a node of the syntax tree and says what might stand there
 * instead.
 */
import type {
  AnyNode,
  AssignmentExpression,
  BinaryExpression,
  CallExpression,
  Expression,
  Literal,
  MemberExpression,
} from 'acorn';
import type { Place } from './source.ts';

/** What stands in the place of [start, end). */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Operator {
  readonly name: string;
  /** The mistake, in a few words. */
  readonly mistake: string;
  edits(place: Place, source: string): readonly Edit[];
}

/** What a binary operator is mistaken for, by the name of the mutation operator. */
const BINARY: Readonly<Record<'bound' | 'comparison' | 'arithmetic', Readonly<Record<string, string>>>> = {
  bound: { '<': '<=', '<=': '<', '>': '>=', '>=': '>' },
  comparison: { '<': '>=', '<=': '>', '>': '<=', '>=': '<', '===': '!==', '!==': '===' },
  arithmetic: {
    '+': '-',
    '-': '+',
    '*': '+',
    '/': '*',
    '%': '+',
    '>>>': '<<',
    '<<': '>>>',
    '&': '|',
    '|': '&',
  },
};

/** Names that are mistaken for each other, as properties. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['strideY', 'strideX'],
  ['dilationY', 'dilationX'],
  ['top', 'left'],
  ['bottom', 'right'],
  ['height', 'width'],
  ['inHeight', 'inWidth'],
  ['outHeight', 'outWidth'],
  ['kernelHeight', 'kernelWidth'],
  ['inChannels', 'outChannels'],
  ['inFeatures', 'outFeatures'],
  ['rowStride', 'pixelStride'],
  ['imageStride', 'rowStride'],
  ['splat', 'vector'],
];

/** Instructions that are mistaken for each other, by their part after the dot. */
const INSTRUCTIONS: Readonly<Record<string, string>> = {
  add: 'sub',
  sub: 'add',
  mul: 'add',
  div: 'mul',
  min: 'max',
  max: 'min',
  pmin: 'pmax',
  pmax: 'pmin',
  lt: 'le',
  le: 'lt',
  gt: 'ge',
  ge: 'gt',
  eq: 'ne',
  ne: 'eq',
  lt_s: 'le_s',
  le_s: 'lt_s',
  gt_s: 'ge_s',
  ge_s: 'gt_s',
  lt_u: 'le_u',
  ge_u: 'gt_u',
  div_u: 'rem_u',
  rem_u: 'div_u',
  and: 'or',
  or: 'and',
  shl: 'shr_u',
  shr_u: 'shl',
};

const FLAGS = /^(?:flip|accumulate|bias|useBias|countPadding|nesterov|first|wide)$/;

const slice = (source: string, node: { start: number; end: number }) => source.slice(node.start, node.end);
const replace = (node: { start: number; end: number }, text: string): Edit => ({
  start: node.start,
  end: node.end,
  text,
});

/** The binary operator's sign is exchanged; the whole is put in brackets, so that it binds as it did. */
function exchangeSign(name: keyof typeof BINARY): Operator['edits'] {
  return ({ node }, source) => {
    const { type, operator, left, right } = node as BinaryExpression;
    const other = type === 'BinaryExpression' ? BINARY[name][operator] : undefined;
    if (other === undefined || isText(left) || isText(right)) return [];
    return [replace(node, `(${slice(source, left)} ${other} ${slice(source, right)})`)];
  };
}

function isText(node: AnyNode): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');
}

/** Math.NAME of a callee. */
function mathName({ callee }: CallExpression): string | undefined {
  if (callee.type !== 'MemberExpression' || callee.object.type !== 'Identifier') return undefined;
  if (callee.object.name !== 'Math' || callee.property.type !== 'Identifier') return undefined;
  return callee.property.name;
}

const MATH: Readonly<Record<string, string>> = { min: 'max', max: 'min', floor: 'ceil', ceil: 'floor' };

function extremes({ node }: Place): readonly Edit[] {
  if (node.type !== 'CallExpression') return [];
  const other = MATH[mathName(node as CallExpression) ?? ''];
  return other === undefined
    ? []
    : [replace(((node as CallExpression).callee as MemberExpression).property, other)];
}

function rounding({ node }: Place, source: string): readonly Edit[] {
  const call = node as CallExpression;
  if (call.type !== 'CallExpression' || call.arguments.length !== 1) return [];
  const short = call.callee.type === 'Identifier' && call.callee.name === 'f';
  if (mathName(call) !== 'fround' && !(short && source.includes('const f = Math.fround'))) return [];
  return [replace(call, `(${slice(source, call.arguments[0]!)})`)];
}

function constants({ node }: Place): readonly Edit[] {
  const { type, value, raw } = node as Literal;
  if (type !== 'Literal') return [];
  if (typeof value === 'bigint') return [replace(node, `(${raw} + 1n)`), replace(node, `(${raw} - 1n)`)];
  if (typeof value !== 'number') return [];
  return [replace(node, `(${raw} + 1)`), replace(node, `(${raw} - 1)`)];
}

function terms({ node }: Place, source: string): readonly Edit[] {
  const { type, operator, left, right } = node as BinaryExpression;
  if (type !== 'BinaryExpression' || !['+', '-', '*', '/'].includes(operator)) return [];
  if (isText(left) || isText(right)) return [];
  return [replace(node, `(${slice(source, left)})`), replace(node, `(${slice(source, right)})`)];
}

function names({ node }: Place): readonly Edit[] {
  const { type, property, computed } = node as MemberExpression;
  if (type !== 'MemberExpression' || computed || property.type !== 'Identifier') return [];
  return PAIRS.filter((pair) => pair.includes(property.name)).map(([a, b]) =>
    replace(property, property.name === a ? b : a),
  );
}

function assignments({ node }: Place, source: string): readonly Edit[] {
  const { type, operator, left, right } = node as AssignmentExpression;
  if (type !== 'AssignmentExpression') return [];
  const others = { '+=': ['-=', '='], '-=': ['+=', '='], '*=': ['+=', '='] }[operator as string] ?? [];
  return others.map((other) => replace(node, `${slice(source, left)} ${other} ${slice(source, right)}`));
}

/** Conditions that decide something: of an if, of ?:, and flags wherever they are read. */
function conditions({ node, ancestors }: Place, source: string): readonly Edit[] {
  const parent = ancestors.at(-2) as AnyNode | undefined;
  const tested =
    (parent?.type === 'IfStatement' || parent?.type === 'ConditionalExpression') && parent.test === node;
  const { type, property, computed } = node as MemberExpression;
  const flag =
    type === 'MemberExpression' && !computed && property.type === 'Identifier' && FLAGS.test(property.name);
  const called = parent?.type === 'CallExpression' && parent.callee === node;
  const assigned = parent?.type === 'AssignmentExpression' && parent.left === node;
  return tested || (flag && !called && !assigned) ? [replace(node, `!(${slice(source, node)})`)] : [];
}

function logic({ node }: Place, source: string): readonly Edit[] {
  const logical = node as AnyNode;
  if (logical.type !== 'LogicalExpression' || logical.operator === '??') return [];
  const other = logical.operator === '&&' ? '||' : '&&';
  return [replace(node, `(${slice(source, logical.left)} ${other} ${slice(source, logical.right)})`)];
}

/** Two neighbouring arguments that are names, exchanged. */
function exchangedArguments({ node }: Place, source: string): readonly Edit[] {
  const { type, arguments: given } = node as CallExpression;
  if (type !== 'CallExpression') return [];
  const named = (arg: AnyNode | undefined) => arg?.type === 'Identifier' || arg?.type === 'MemberExpression';
  return given.slice(1).flatMap((second, i) => {
    const first = given[i]!;
    if (!named(first) || !named(second)) return [];
    const between = source.slice(first.end, second.start);
    const text = `${slice(source, second)}${between}${slice(source, first)}`;
    return [{ start: first.start, end: second.end, text }];
  });
}

function statements({ node }: Place): readonly Edit[] {
  const statement = node as AnyNode;
  if (statement.type !== 'ExpressionStatement' || statement.directive !== undefined) return [];
  return (statement.expression as Expression).type === 'CallExpression' ? [replace(node, ';')] : [];
}

function instructions({ node }: Place): readonly Edit[] {
  const { type, value } = node as Literal;
  if (type !== 'Literal' || typeof value !== 'string') return [];
  const match = /^([if]\d\d(?:x\d+)?|v128)\.(\w+)$/.exec(value);
  const other = INSTRUCTIONS[match?.[2] ?? ''];
  return other === undefined ? [] : [replace(node, `'${match![1]}.${other}'`)];
}

export const operators: readonly Operator[] = [
  { name: 'bound', mistake: '< for <=, > for >=, and the reverse', edits: exchangeSign('bound') },
  { name: 'comparison', mistake: 'a comparison turned round', edits: exchangeSign('comparison') },
  { name: 'arithmetic', mistake: '+ for -, * for +, ...', edits: exchangeSign('arithmetic') },
  { name: 'term', mistake: 'a term or factor left out', edits: terms },
  { name: 'constant', mistake: 'a constant one larger or smaller', edits: constants },
  { name: 'name', mistake: 'a stride, extent or side for its neighbour', edits: names },
  { name: 'rounding', mistake: 'Math.fround left out', edits: rounding },
  { name: 'extreme', mistake: 'min for max, floor for ceil, and the reverse', edits: extremes },
  { name: 'assignment', mistake: '-= or = for +=, ...', edits: assignments },
  {
    name: 'condition',
    mistake: 'a condition or a flag (flip, accumulate, bias) turned round',
    edits: conditions,
  },
  { name: 'logic', mistake: '&& for ||, and the reverse', edits: logic },
  { name: 'arguments', mistake: 'two neighbouring arguments exchanged', edits: exchangedArguments },
  { name: 'statement', mistake: 'a call left out', edits: statements },
  { name: 'instruction', mistake: 'another WebAssembly instruction of the same types', edits: instructions },
];

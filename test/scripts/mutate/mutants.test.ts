/** The mutation operators: each makes its mistake and nothing else, and the result still parses. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readSources } from '../../../scripts/check/files.ts';
import { groupOf } from '../../../scripts/mutate/groups.ts';
import { applyEdit, mutantsOf } from '../../../scripts/mutate/mutants.ts';
import { operators } from '../../../scripts/mutate/operators.ts';
import { sampleMutants } from '../../../scripts/mutate/sample.ts';
import { placesOf } from '../../../scripts/mutate/source.ts';

const root = path.resolve(import.meta.dirname, '../../..');

/** What one operator makes of a text. */
function mutated(operator: string, text: string): string[] {
  return mutantsOf('src/x.ts', text)
    .filter((mutant) => mutant.operator === operator)
    .map((mutant) => applyEdit(text, mutant));
}

const EXPECTED: Readonly<Record<string, readonly [source: string, ...mutants: string[]]>> = {
  bound: [
    'while (a < b! && c >= d) e();',
    'while ((a <= b)! && c >= d) e();',
    'while (a < b! && (c > d)) e();',
  ],
  comparison: ['x = a === b ? c > d : 1;', 'x = (a !== b) ? c > d : 1;', 'x = a === b ? (c <= d) : 1;'],
  arithmetic: ['x = a * (b - c);', 'x = (a + (b - c));', 'x = a * ((b + c));'],
  term: ['x = a! + b * c;', 'x = (a);', 'x = (b * c);', 'x = a! + (b);', 'x = a! + (c);'],
  constant: ['x = [0.5, y];', 'x = [(0.5 + 1), y];', 'x = [(0.5 - 1), y];'],
  name: ['x = g.strideY + g.stride;', 'x = g.strideX + g.stride;'],
  rounding: [
    'const f = Math.fround; x = f(f(a) + b);',
    'const f = Math.fround; x = (f(a) + b);',
    'const f = Math.fround; x = f((a) + b);',
  ],
  extreme: [
    'x = Math.min(a, Math.floor(b));',
    'x = Math.max(a, Math.floor(b));',
    'x = Math.min(a, Math.ceil(b));',
  ],
  assignment: ['x += y; z = y;', 'x -= y; z = y;', 'x = y; z = y;'],
  condition: ['if (a) b = spec.flip;', 'if (!(a)) b = spec.flip;', 'if (a) b = !(spec.flip);'],
  logic: [
    'x = a && (b || c) && (d ?? e);',
    'x = (a && (b || c) || (d ?? e));',
    'x = (a || (b || c)) && (d ?? e);',
    'x = a && ((b && c)) && (d ?? e);',
  ],
  arguments: ['f(a, b.c, 1);', 'f(b.c, a, 1);'],
  statement: ['f(a); x = g();', '; x = g();'],
  instruction: ["b.op('f32x4.add').op('v128.const');", "b.op('f32x4.sub').op('v128.const');"],
};

for (const { name } of operators) {
  test(`operator ${name}`, () => {
    const [source, ...mutants] = EXPECTED[name]!;
    assert.deepEqual(mutated(name, source).sort(), [...mutants].sort());
  });
}

test('types, imports, errors and counts of operations are left alone', () => {
  const source = [
    "import { a } from './a1.ts';",
    'type T = [1, 2];',
    'const k = { flops: (n: number) => 2 * n, x: <T>(v: T) => v as T };',
    'if (b) throw new E({ expected: `${c + 1}` });',
  ].join('\n');
  assert.deepEqual(
    mutantsOf('src/x.ts', source).map(({ operator, line, before, after }) => ({
      operator,
      line,
      before,
      after,
    })),
    [
      {
        operator: 'condition',
        line: 4,
        before: 'if (b) throw new E({ expected: `${c + 1}` });',
        after: 'if (!(b)) throw new E({ expected: `${c + 1}` });',
      },
    ],
  );
});

test('sums of texts are not arithmetic', () => {
  for (const source of ["x = 'a' + b;", 'x = b + `c`;']) assert.deepEqual(mutated('arithmetic', source), []);
});

test('every source that is mutated parses, as do a hundred of its mutants', () => {
  const sources = readSources(root).filter(({ path: file }) => groupOf(file) !== undefined);
  assert.ok(sources.length > 80, `${sources.length} files`);
  const all = sources.flatMap(({ path: file, text }) => mutantsOf(file, text));
  const textOf = new Map(sources.map(({ path: file, text }) => [file, text]));
  for (const { name } of operators)
    assert.ok(
      all.some(({ operator }) => operator === name),
      name,
    );
  for (const mutant of sampleMutants(all, 100, 21)) {
    const text = textOf.get(mutant.file)!;
    assert.notEqual(applyEdit(text, mutant), text);
    placesOf(applyEdit(text, mutant));
  }
});

test('a sample is a function of sources and seed, and takes the groups in turns', () => {
  const sources = readSources(root).filter(({ path: file }) => groupOf(file) !== undefined);
  const all = sources.flatMap(({ path: file, text }) => mutantsOf(file, text));
  const sample = sampleMutants(all, 40, 3);
  assert.deepEqual(sampleMutants(all, 60, 3).slice(0, 40), sample);
  assert.notDeepEqual(sampleMutants(all, 40, 4), sample);
  const byGroup = Map.groupBy(sample, ({ file }) => groupOf(file));
  assert.deepEqual(
    [...byGroup.values()].map((part) => part.length),
    [10, 10, 10, 10],
  );
  assert.equal(new Set(sample).size, 40);
  const kernels = all.filter(({ file }) => groupOf(file) !== 'parsers');
  assert.deepEqual(
    sampleMutants(kernels, 30, 3),
    sample.filter(({ file }) => groupOf(file) !== 'parsers'),
  );
});

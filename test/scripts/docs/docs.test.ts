import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { apiPages } from '../../../scripts/docs/pages.ts';
import { type ApiEntry, readApi } from '../../../scripts/docs/read-api.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const found = readApi(root, ['src/index.ts', 'src/ui/index.ts']);
const entries = [...found.values()].flat();
const entry = (name: string): ApiEntry => {
  const match = entries.find((one) => one.name === name);
  assert.ok(match, name);
  return match;
};

describe('what is read from the sources', () => {
  test('functions: their heads without bodies, options with defaults as optional', () => {
    assert.equal(
      entry('trainTestSplit').signature,
      'trainTestSplit(dataset: Dataset, options?: TrainTestSplitOptions): { readonly train: Dataset; readonly test: Dataset }',
    );
    assert.equal(entry('load').signature, 'load(file: string, options?: LoadOptions): Promise<Model>');
    assert.match(entry('load').text, /^The model of a file that `save` wrote/);
  });

  test('layers: functions of their options', () => {
    assert.equal(entry('conv2d').kind, 'function');
    assert.equal(entry('conv2d').signature, 'conv2d(options: Conv2dOptions): CallableLayer');
    const names = entry('Conv2dOptions').members.map(({ name }) => name);
    for (const name of ['flip', 'filters', 'kernelSize', 'activation', 'useBias'])
      assert.ok(names.includes(name), name);
  });

  test('classes: their public methods', () => {
    const { kind, members } = entry('Model');
    assert.equal(kind, 'class');
    const fit = members.find(({ name }) => name === 'fit')!;
    assert.equal(fit.type, '(dataset: Dataset | NamedDataset, options?: FitOptions): Promise<History>');
    assert.ok(members.every(({ name }) => !/#|^__/.test(name)));
    assert.equal(members.find(({ name }) => name === 'inputShape')!.type, 'Shape');
  });

  test('interfaces: members, whether they may be left out, and what they say', () => {
    const member = entry('Augmentation').members.find(({ name }) => name === 'rotationRange')!;
    assert.deepEqual(
      { ...member, text: '' },
      { name: 'rotationRange', type: 'number', optional: true, text: '', method: false },
    );
    assert.match(member.text, /Default 0\.$/);
    assert.equal(entry('TrainingUi').members.find(({ name }) => name === 'say')!.method, true);
  });
});

describe('the pages', () => {
  const one = (name: string, rest: Partial<ApiEntry> = {}): ApiEntry => ({
    ...{ name, kind: 'function', file: 'src/data/x.ts', signature: `${name}()`, text: '', members: [] },
    ...rest,
  });

  test('every export is on a page and in the index, at an anchor that exists', () => {
    const pages = apiPages(entries);
    const index = pages.get('README.md')!;
    for (const { name } of entries) assert.ok(index.includes(`[${name}](`), name);
    const anchors = [...index.matchAll(/\]\((\w+\.md)#([\w-]+)\)/g)];
    assert.equal(anchors.length, entries.length);
    assert.equal(
      new Set(anchors.map(([all]) => all)).size,
      entries.length,
      'each name has an anchor of its own',
    );
    for (const [, page, anchor] of anchors) {
      const heading = new RegExp(`^#{3,4} ${anchor!.replace(/-\d+$/, '')}$`, 'im');
      assert.match(pages.get(page!)!, heading);
    }
  });

  test('options stand behind the function that takes them, other types at the end', () => {
    const options = one('AOptions', { kind: 'interface', signature: 'interface AOptions' });
    const other = one('B', { kind: 'interface', signature: 'interface B' });
    const text = apiPages([options, other, one('a', { signature: 'a(options: AOptions): B' }), one('c')]).get(
      'data.md',
    )!;
    const order = ['### a\n', '#### AOptions\n', '### c\n', '## Types\n', '#### B\n'].map((part) =>
      text.indexOf(part),
    );
    assert.deepEqual(
      order,
      order.toSorted((x, y) => x - y),
    );
    assert.ok(order.every((at) => at > 0));
  });

  test('text is text: brackets, bars and stars do no harm, code stays', () => {
    const text = 'A <b> of a*b and `x < y`.\n\n    code < of | its own';
    const member = { name: 'm', type: "'a' | 'b'", optional: true, text: 'either | <or>', method: false };
    const page = apiPages([one('f', { text }), one('I', { kind: 'interface', members: [member] })]).get(
      'data.md',
    )!;
    assert.ok(page.includes('A &lt;b> of a\\*b and `x < y`.\n\n    code < of | its own'));
    assert.ok(page.includes("| `m?` | `'a' \\| 'b'` | either \\| &lt;or> |"));
  });

  test('a file that no page shows is said', () => {
    assert.throws(
      () => apiPages([one('f', { file: 'src/new/x.ts' })]),
      /no page for f of src\/new\/x\.ts: add its place/,
    );
  });
});

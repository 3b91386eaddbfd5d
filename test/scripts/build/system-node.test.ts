/** The system's Node is the first on the PATH outside node_modules/.bin. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { systemNode } from '../../../scripts/build/system-node.ts';

const root = mkdtempSync(join(tmpdir(), 'faltung-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

const name = process.platform === 'win32' ? 'node.exe' : 'node';

/** A folder with an executable called node. */
function folderWithNode(...path: string[]): string {
  const folder = join(root, ...path);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), '');
  chmodSync(join(folder, name), 0o755);
  return folder;
}

const pinned = folderWithNode('node_modules', '.bin');
const first = folderWithNode('first');
const second = folderWithNode('second');
mkdirSync(join(root, 'empty'));
mkdirSync(join(root, 'folder', name), { recursive: true });

test('the pinned Node, empty entries and folders called node are passed over', () => {
  const path = [pinned, '', join(root, 'empty'), join(root, 'missing'), join(root, 'folder'), first, second];
  assert.equal(systemNode(path.join(delimiter)), join(first, name));
});

test('without another Node there is none', () => {
  assert.equal(systemNode(pinned), undefined);
  assert.equal(systemNode(''), undefined);
});

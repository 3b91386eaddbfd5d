/** Sources that git does not see are caught. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkIgnored } from '../../../scripts/check/ignored.ts';

const file = (path: string) => ({ path, text: '' });

test('a source that git ignores is an offence, one that it tracks is not', () => {
  const sources = [file('src/data/a.ts'), file('src/math/exp.ts')];
  assert.deepEqual(checkIgnored(sources, [file('README.md'), file('src/math/exp.ts')]), [
    { path: 'src/data/a.ts', message: 'ignored by git; anchor the pattern in .gitignore' },
  ]);
  assert.deepEqual(checkIgnored(sources, sources), []);
});

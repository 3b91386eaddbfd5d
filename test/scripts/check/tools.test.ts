/** The compiler's and Biome's reports become offences; a failure that cannot be read is still a failure. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { lintOffences, runTool, typeOffences } from '../../../scripts/check/tools.ts';

const failed = (stdout: string, stderr = '') => ({ ok: false, stdout, stderr });

test('a type error is an offence at its line; its further lines belong to it', () => {
  const stdout = `src/a.ts(3,7): error TS2322: Type 'number' is no string.\n  More about it.\nerror TS18003: No inputs.\n`;
  assert.deepEqual(typeOffences(failed(stdout)), [
    { path: 'src/a.ts', line: 3, message: "error TS2322: Type 'number' is no string." },
    { path: 'tsconfig.json', message: 'error TS18003: No inputs.' },
  ]);
});

test('a lint or format error is an offence with its rule', () => {
  const stdout = [
    '::error title=lint/suspicious/noDoubleEquals,file=/repo/src/a.ts,line=3,endLine=3,col=1,endColumn=2::Use ===.',
    '::warning title=lint/style/useConst,file=/repo/src/b.ts,line=4,endLine=4,col=1,endColumn=2::Use const.',
    '::notice title=lint/style/useTemplate,file=/repo/src/c.ts,line=5,endLine=5,col=1,endColumn=2::Consider it.',
    '::error title=format,file=/repo/src/d.ts,line=1,endLine=1,col=2,endColumn=2::Formatter would have printed:',
  ].join('\n');
  assert.deepEqual(lintOffences(failed(stdout), '/repo'), [
    { path: 'src/a.ts', line: 3, message: 'lint/suspicious/noDoubleEquals: Use ===.' },
    { path: 'src/b.ts', line: 4, message: 'lint/style/useConst: Use const.' },
    { path: 'src/d.ts', line: 1, message: 'not formatted; run "npm run format"' },
  ]);
});

test('a tool that fails without a word that can be read is an offence', () => {
  assert.deepEqual(typeOffences(failed('', 'killed')), [{ path: '.', message: 'tsc failed: killed' }]);
  assert.deepEqual(lintOffences(failed(''), '/'), [
    { path: '.', message: 'biome failed: it printed nothing' },
  ]);
});

test('a tool that is content gives no offences, whatever it printed', () => {
  const stdout = 'src/a.ts(3,7): warning';
  assert.deepEqual(typeOffences({ ok: true, stdout, stderr: '' }), []);
  assert.deepEqual(lintOffences({ ok: true, stdout, stderr: '' }, '/'), []);
});

test('a package that is not installed is named, with what to do', () => {
  const run = () => runTool(import.meta.dirname, 'typescript', 'tsc', []);
  assert.throws(run, { message: 'typescript is not installed: run "npm ci"' });
});

/** Blanking a source: what is not code disappears, what is code stays, and nothing moves. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { blank } from '../../../scripts/check/blank.ts';

/** What is left of a source, blanks squeezed. */
const squeeze = (text: string): string => blank(text).replace(/\s+/g, ' ').trim();

const cases: readonly (readonly [name: string, source: string, left: string])[] = [
  ['line comment', 'a; // exp\nb;', 'a; b;'],
  ['block comment', 'a /* exp\n */ + b', 'a + b'],
  ['strings', `f('exp', "it's")`, `f(' ', " ")`],
  ['escaped quotes', `f('\\'exp', 1)`, `f(' ', 1)`],
  ['comment marks in a string', `f('//', g)`, `f(' ', g)`],
  ['template', '`exp ${exp} exp`', '` ${exp} `'],
  ['nested templates', '`a${`b${c}d`}e` + f', '` ${` ${c} `} ` + f'],
  ['an object within a template', '`a${{ x: 1 }.x}e` + f', '` ${{ x: 1 }.x} ` + f'],
  ['escaped ${', '`\\${exp}` + f', '` ` + f'],
  ['regular expression', 'x = /["\'`/]exp/.test(y)', 'x = / /.test(y)'],
  ['regular expression after return', 'return /exp/', 'return / /'],
  ['escaped slash', 'x = /\\/exp/.test(y)', 'x = / /.test(y)'],
  ['slash in a class', 'x = /[/]exp/.test(y)', 'x = / /.test(y)'],
  ['division', 'a / b / c', 'a / b / c'],
  ['division after a postfix !', 'a[i]! / b / c', 'a[i]! / b / c'],
  ['division after a postfix ++', 'i++ / b / c', 'i++ / b / c'],
  ['division after brackets', 'f(x) / a[0] / c', 'f(x) / a[0] / c'],
  ['negated regular expression', 'if (!/exp/.test(x)) y', 'if (!/ /.test(x)) y'],
  ['a property called like a keyword', 'x.in / a / b', 'x.in / a / b'],
];

for (const [name, source, left] of cases) {
  test(`${name}: only code is left`, () => assert.equal(squeeze(source), left));
}

test('unterminated comments, strings and templates end with the text', () => {
  for (const source of ['/* a', "'a", '`a', '`a${', '"a\\', '`a\\', '//']) {
    assert.equal(blank(source).length, source.length);
  }
});

test('whatever the text: its length, its line breaks and every character that is left stay in place', () => {
  const piece = fc.constantFrom(
    'a',
    ' ',
    '\n',
    "'",
    '"',
    '`',
    '${',
    '}',
    '{',
    '/',
    '*',
    '\\',
    '[',
    ']',
    '!',
    '(',
    ')',
  );
  const source = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(source, (text) => {
      const blanked = blank(text);
      assert.equal(blanked.length, text.length);
      for (let i = 0; i < text.length; i++) {
        assert.ok(blanked[i] === text[i] || (blanked[i] === ' ' && text[i] !== '\n'), `offset ${i}`);
      }
    }),
    { numRuns: 2000, seed: 21 },
  );
});

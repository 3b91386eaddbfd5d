/**
 * Takes what is not code out of a TypeScript source, so that the checks can search it with plain regular
 * expressions: the contents of comments, strings, template texts and regular expressions become blanks.
 * Every offset and line stays where it was; quotes, backticks and the code inside `${...}` stay too.
 *
 * Whether a `/` divides or opens a regular expression is decided by what stands before it. A regular
 * expression straight after `)` or `}` is taken for a division; Biome's formatter leaves none there.
 */

const KEYWORDS_BEFORE_REGEX =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield|instanceof)$/;

/** The source with everything but code blanked, of the same length. */
export function blank(text: string): string {
  const out = text.split('');
  const erase = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  /** For each template that is open: how deep in braces its current `${` stands. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  /** Blanks a template's text from `from` on; returns the offset of the code after it. */
  const skipTemplateText = (from: number): number => {
    let end = from;
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) {
      end += text[end] === '\\' ? 2 : 1;
    }
    erase(from, Math.min(end, text.length));
    if (text[end] !== '$') return end + 1;
    templates.push(depth);
    depth++;
    return end + 2;
  };

  while (at < text.length) {
    const char = text[at]!;
    if (text.startsWith('//', at) || text.startsWith('/*', at)) {
      const end = endOfComment(text, at);
      erase(at, end);
      at = end;
    } else if (char === "'" || char === '"') {
      const end = endOfString(text, at);
      erase(at + 1, end);
      at = end + 1;
    } else if (char === '`') {
      at = skipTemplateText(at + 1);
    } else if (char === '/' && regexMayFollow(out, at)) {
      const end = endOfRegex(text, at);
      if (end !== -1) erase(at + 1, end);
      at = end === -1 ? at + 1 : end + 1;
    } else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      at++;
      if (char === '}' && templates.at(-1) === depth) {
        templates.pop();
        at = skipTemplateText(at);
      }
    }
  }
  return out.join('');
}

/** The offset after a comment that opens at `at`; a line comment's newline is not part of it. */
function endOfComment(text: string, at: number): number {
  const line = text[at + 1] === '/';
  const end = text.indexOf(line ? '\n' : '*/', at + 2);
  return end === -1 ? text.length : end + (line ? 0 : 2);
}

/** The offset of the quote that closes the string opened at `at`, or of the line's end. */
function endOfString(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== text[at] && text[end] !== '\n') {
    end += text[end] === '\\' ? 2 : 1;
  }
  return Math.min(end, text.length);
}

/** The offset of the `/` that closes the regular expression opened at `at`; -1 where none does. */
function endOfRegex(text: string, at: number): number {
  let inClass = false;
  for (let end = at + 1; end < text.length && text[end] !== '\n'; end++) {
    const char = text[end];
    if (char === '\\') end++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return end;
  }
  return -1;
}

/** Whether a `/` at `at` can open a regular expression, given the blanked code before it. */
function regexMayFollow(blanked: readonly string[], at: number): boolean {
  let last = at - 1;
  while (last >= 0 && /\s/.test(blanked[last]!)) last--;
  if (last < 0) return true;
  const before = blanked.slice(Math.max(0, last - 16), last + 1).join('');
  if (KEYWORDS_BEFORE_REGEX.test(before)) return true;
  // A value, a postfix ++ or --, or TypeScript's postfix `!` stands before a division.
  return !/(?:[\w$)\]}'"`/]|\+\+|--|[\w$)\]]!)$/.test(before);
}

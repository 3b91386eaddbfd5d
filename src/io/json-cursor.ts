/**
 * Reads JSON (RFC 8259) from bytes, strictly: every error has its byte offset, duplicate keys and invalid UTF-8 are
 * refused, nesting is limited, and no name ever becomes a property of an object before its caller has seen it.
 */
import { FormatError } from '../errors.ts';

/** A place in bytes of JSON, and how to refuse them. */
export interface JsonCursor {
  readonly bytes: Uint8Array;
  at: number;
  /** Of the file or the text, for messages. */
  readonly operation: string;
  /** What the offset counts from, such as 'byte' or 'architecture, byte'. */
  readonly unit: string;
  /** Added to offsets in messages. */
  readonly base: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A cursor at the start of `bytes`. */
export function jsonCursor(bytes: Uint8Array, operation: string, unit = 'byte', base = 0): JsonCursor {
  return { bytes, at: 0, operation, unit, base };
}

/** Throws FormatError with the offset `at`. */
export function refuse(cursor: JsonCursor, at: number, expected: string, received?: string): never {
  throw new FormatError({
    operation: cursor.operation,
    argument: `${cursor.unit} ${cursor.base + at}`,
    expected,
    received: received ?? describeByte(cursor.bytes[at]),
  });
}

/** The next byte that is not whitespace, without passing it; -1 at the end. */
export function peek(cursor: JsonCursor): number {
  const { bytes } = cursor;
  let at = cursor.at;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  cursor.at = at;
  return bytes[at] ?? -1;
}

/** Passes one character. */
function expectChar(cursor: JsonCursor, char: string): void {
  if (peek(cursor) !== char.charCodeAt(0)) refuse(cursor, cursor.at, `'${char}'`);
  cursor.at += 1;
}

/** Reads an object; `member` reads each value. Refuses keys that occur twice. */
export function readObject(cursor: JsonCursor, member: (key: string, at: number) => void): void {
  const keys = new Set<string>();
  readItems(cursor, '{', '}', () => {
    peek(cursor);
    const at = cursor.at;
    const key = readString(cursor);
    if (keys.has(key)) refuse(cursor, at, 'each key once', `${JSON.stringify(key)} again`);
    keys.add(key);
    expectChar(cursor, ':');
    member(key, at);
  });
}

/** Reads an array; `item` reads each element. */
export function readArray(cursor: JsonCursor, item: () => void): void {
  readItems(cursor, '[', ']', item);
}

function readItems(cursor: JsonCursor, open: string, close: string, item: () => void): void {
  expectChar(cursor, open);
  const end = close.charCodeAt(0);
  if (peek(cursor) === end) {
    cursor.at += 1;
    return;
  }
  for (;;) {
    item();
    const next = peek(cursor);
    if (next !== end && next !== 0x2c) refuse(cursor, cursor.at, `',' or '${close}'`);
    cursor.at += 1;
    if (next === end) return;
  }
}

/** Reads a string. Lone surrogates are refused: they have no UTF-8 form. */
export function readString(cursor: JsonCursor): string {
  if (peek(cursor) !== QUOTE) refuse(cursor, cursor.at, 'a string');
  const { bytes } = cursor;
  const start = cursor.at;
  const parts: string[] = [];
  let at = start + 1;
  for (let from = at; ; ) {
    const byte = bytes[at];
    if (byte === undefined) refuse(cursor, at, 'the end of the string');
    if (byte < 0x20) refuse(cursor, at, 'no control characters in strings');
    if (byte !== QUOTE && byte !== BACKSLASH) {
      at += 1;
      continue;
    }
    parts.push(decode(cursor, from, at));
    if (byte === QUOTE) break;
    const [text, length] = readEscape(cursor, at);
    parts.push(text);
    at += length;
    from = at;
  }
  cursor.at = at + 1;
  const text = parts.join('');
  if (/\p{Surrogate}/u.test(text)) refuse(cursor, start, 'whole characters', 'half of a surrogate pair');
  return text;
}

/** Reads a whole number from 0 to 2^53 - 1, written in digits alone. */
export function readUnsigned(cursor: JsonCursor, what: string): number {
  peek(cursor);
  const start = cursor.at;
  const token = numberToken(cursor);
  const value = Number(token);
  if (!/^(0|[1-9]\d*)$/.test(token) || !Number.isSafeInteger(value)) {
    refuse(cursor, start, what, token === '' ? undefined : token);
  }
  return value;
}

/** A finite number in JSON's notation. */
export function readNumber(cursor: JsonCursor): number {
  peek(cursor);
  const start = cursor.at;
  const token = numberToken(cursor);
  const value = Number(token);
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(token) || !Number.isFinite(value)) {
    refuse(cursor, start, 'a value of JSON', token === '' ? undefined : token);
  }
  return value;
}

/** Throws unless only spaces are left. */
export function expectEnd(cursor: JsonCursor): void {
  const { bytes } = cursor;
  while (cursor.at < bytes.length) {
    if (bytes[cursor.at] !== 0x20) refuse(cursor, cursor.at, 'the end, or spaces up to it');
    cursor.at += 1;
  }
}

function numberToken(cursor: JsonCursor): string {
  const { bytes } = cursor;
  let end = cursor.at;
  while (end < bytes.length && end - cursor.at < 400 && isNumberByte(bytes[end]!)) end++;
  const token = String.fromCharCode(...bytes.subarray(cursor.at, end));
  cursor.at = end;
  return token;
}

/** 0-9 + - . e E */
function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x45 ||
    byte === 0x65
  );
}

/** The character that an escape at `at` stands for, and the escape's length. */
function readEscape(cursor: JsonCursor, at: number): [string, number] {
  const char = String.fromCharCode(cursor.bytes[at + 1] ?? 0);
  if (Object.hasOwn(ESCAPES, char)) return [ESCAPES[char]!, 2];
  const digits = String.fromCharCode(...cursor.bytes.subarray(at + 2, at + 6));
  if (char !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) refuse(cursor, at, 'an escape of JSON');
  return [String.fromCharCode(Number.parseInt(digits, 16)), 6];
}

function decode(cursor: JsonCursor, from: number, to: number): string {
  try {
    return decoder.decode(cursor.bytes.subarray(from, to));
  } catch {
    return refuse(cursor, from, 'valid UTF-8', 'bytes that are none');
  }
}

function describeByte(byte: number | undefined): string {
  if (byte === undefined) return 'the end';
  const char = byte > 0x20 && byte < 0x7f ? ` ('${String.fromCharCode(byte)}')` : '';
  return `byte 0x${byte.toString(16).padStart(2, '0')}${char}`;
}

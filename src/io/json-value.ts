/**
 * Plain data as JSON text and back, without loss: what JSON would change in silence (NaN, infinities, functions, holes,
 * -0) is kept or refused, and what a stranger's text could do to prototypes is refused.
 */
import { ConfigError } from '../errors.ts';
import {
  expectEnd,
  type JsonCursor,
  jsonCursor,
  peek,
  readArray,
  readNumber,
  readObject,
  readString,
  refuse,
} from './json-cursor.ts';

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

const MAX_DEPTH = 64;
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/**
 * Plain data as JSON. Members that are undefined are left out, as JSON does. Throws ConfigError for what JSON cannot
 * say; `argument` names the data in messages.
 */
export function writeJson(operation: string, argument: string, value: unknown, depth = 0): string {
  const fail: (received: string) => never = (received) => {
    throw new ConfigError({ operation, argument, expected: 'plain data that JSON can hold', received });
  };
  if (depth > MAX_DEPTH) fail(`more than ${MAX_DEPTH} levels of nesting`);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) fail(String(value));
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) fail('a text with half of a surrogate pair');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    const items = Array.from(value, (item, i) => writeJson(operation, `${argument}[${i}]`, item, depth + 1));
    return `[${items.join(',')}]`;
  }
  const prototype = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) fail(describe(value));
  const members = Object.entries(value as object)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => {
      const text = writeJson(operation, `${argument}.${key}`, member, depth + 1);
      return `${JSON.stringify(key)}:${text}`;
    });
  return `{${members.join(',')}}`;
}

/** The value of a JSON text. Throws FormatError with the byte; `unit` says of what. */
export function parseJson(text: string, operation: string, unit: string): Json {
  const cursor = jsonCursor(new TextEncoder().encode(text), operation, unit);
  const value = readValue(cursor, 0);
  expectEnd(cursor);
  return value;
}

/** Whether data are a JSON object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether `whole` says all that `part` says: members of objects may be more. */
export function includesJson(whole: unknown, part: Json): boolean {
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((item, i) => includesJson(whole[i], item))
    );
  }
  if (!isJsonObject(part)) return Object.is(whole, part);
  return (
    isJsonObject(whole) &&
    Object.keys(part).every((key) => Object.hasOwn(whole, key) && includesJson(whole[key], part[key]!))
  );
}

function readValue(cursor: JsonCursor, depth: number): Json {
  const first = peek(cursor);
  if (depth > MAX_DEPTH) refuse(cursor, cursor.at, `at most ${MAX_DEPTH} levels of nesting`, 'more');
  if (first === 0x22) return readString(cursor);
  if (first === 0x5b) {
    const items: Json[] = [];
    readArray(cursor, () => items.push(readValue(cursor, depth + 1)));
    return items;
  }
  if (first === 0x7b) {
    const members: Record<string, Json> = {};
    readObject(cursor, (key, at) => {
      if (key === '__proto__') refuse(cursor, at, 'names of options', '"__proto__"');
      members[key] = readValue(cursor, depth + 1);
    });
    return members;
  }
  for (const [word, value] of WORDS) {
    const bytes = cursor.bytes.subarray(cursor.at, cursor.at + word.length);
    if (first === word.charCodeAt(0) && String.fromCharCode(...bytes) === word) {
      cursor.at += word.length;
      return value;
    }
  }
  return readNumber(cursor);
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return `an object of class ${value.constructor?.name ?? '?'}`;
  return value === undefined ? 'undefined' : `a ${typeof value}`;
}

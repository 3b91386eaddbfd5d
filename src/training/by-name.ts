/** What options say of inputs and outputs, whose names are the user's: 'constructor' may be one. */

/** The record's own member of a name; undefined where it has none. */
export function memberOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

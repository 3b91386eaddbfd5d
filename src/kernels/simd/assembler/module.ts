/**
 * Assembles functions into a module that imports one shared memory, `env.memory`, and exports each function
 * under its position ("0", "1", ...). The name section carries the functions' names, so that stack traces
 * and `--print-wasm-code` show them.
 */
import { nameBytes, paddedLeb, sized, unsignedLeb } from './encoding.ts';
import { type FunctionBuilder, TYPE_CODES } from './function.ts';

/** Pages (64 KiB) of the largest memory that a module accepts: 4 GiB. */
export const MAX_PAGES = 65_536;

const SECTION = { custom: 0, type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const SHARED_WITH_MAXIMUM = 0x03;

/** The bytes of a module that exports `functions` in order. */
export function assembleModule(functions: readonly FunctionBuilder[]): Uint8Array<ArrayBuffer> {
  const all = withCallees(functions);
  const index = new Map(all.map((builder, i) => [builder, i]));
  const signatures: string[] = [];
  const typeOf = all.map((builder) => {
    const signature = JSON.stringify([builder.params.map((p) => p.type), builder.results]);
    if (!signatures.includes(signature)) signatures.push(signature);
    return signatures.indexOf(signature);
  });
  const memory = [
    ...nameBytes('env'),
    ...nameBytes('memory'),
    0x02,
    SHARED_WITH_MAXIMUM,
    ...unsignedLeb(1),
    ...unsignedLeb(MAX_PAGES),
  ];
  const bytes: number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const section = (id: number, content: readonly number[]) => {
    bytes.push(id, ...unsignedLeb(content.length));
    for (const byte of content) bytes.push(byte);
  };
  section(SECTION.type, vector(signatures.map(functionType)));
  section(SECTION.import, vector([memory]));
  section(SECTION.function, vector(typeOf.map((type) => unsignedLeb(type))));
  section(
    SECTION.export,
    vector(functions.map((_, i) => [...nameBytes(String(i)), 0x00, ...unsignedLeb(i)])),
  );
  section(SECTION.code, vector(all.map((builder) => sized(linked(builder, index)))));
  section(SECTION.custom, nameSection(all));
  return new Uint8Array(bytes);
}

/** The module with a custom section behind the others: text for people and tools, without effect on the code. */
export function withCustomSection(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  text: string,
): Uint8Array<ArrayBuffer> {
  const section = [SECTION.custom, ...sized([...nameBytes(name), ...nameBytes(text)])];
  const marked = new Uint8Array(bytes.length + section.length);
  marked.set(bytes);
  marked.set(section, bytes.length);
  return marked;
}

/** The exported functions first, then those they call, each once. */
function withCallees(functions: readonly FunctionBuilder[]): FunctionBuilder[] {
  const all = [...functions];
  for (let i = 0; i < all.length; i++) {
    for (const { target } of all[i]!.relocations) if (!all.includes(target)) all.push(target);
  }
  return all;
}

function linked(builder: FunctionBuilder, index: ReadonlyMap<FunctionBuilder, number>): number[] {
  const body = builder.finish();
  const codeStart = body.length - 1 - builder.code.length;
  for (const { position, target } of builder.relocations) {
    paddedLeb(index.get(target)!).forEach((byte, i) => {
      body[codeStart + position + i] = byte;
    });
  }
  return body;
}

function functionType(signature: string): number[] {
  const [params, results] = JSON.parse(signature) as [
    (keyof typeof TYPE_CODES)[],
    (keyof typeof TYPE_CODES)[],
  ];
  const codes = (list: (keyof typeof TYPE_CODES)[]) => vector(list.map((type) => [TYPE_CODES[type]]));
  return [0x60, ...codes(params), ...codes(results)];
}

function nameSection(all: readonly FunctionBuilder[]): number[] {
  const names = vector(all.map((builder, i) => [...unsignedLeb(i), ...nameBytes(builder.name)]));
  return [...nameBytes('name'), 1, ...sized(names)];
}

function vector(items: readonly (readonly number[])[]): number[] {
  const bytes = unsignedLeb(items.length);
  for (const item of items) for (const byte of item) bytes.push(byte);
  return bytes;
}

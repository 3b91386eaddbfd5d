/**
 * What options a kind of layer has: those that its `resolve` reads. So no list of names can fall behind, and layers that
 * users define are checked as the package's own.
 */
import { ConfigError, formatValue } from '../errors.ts';
import { type OptionNames, unknownOption, unknownOptions } from '../known-options.ts';
import type { CommonOptions, LayerDefinition } from './layer.ts';

const COMMON: OptionNames<CommonOptions> = { name: true, trainable: true };

const namesByDefinition = new WeakMap<object, readonly string[]>();

/** The options that all layers take. Throws ConfigError for values of other types. */
export function commonOptions(type: string, options: CommonOptions | null): CommonOptions {
  const { name, trainable } = options ?? {};
  if (name !== undefined && typeof name !== 'string') {
    throw new ConfigError({
      operation: type,
      argument: 'name',
      expected: 'a text',
      received: formatValue(name),
    });
  }
  if (trainable !== undefined && typeof trainable !== 'boolean') {
    const received = formatValue(trainable);
    throw new ConfigError({ operation: type, argument: 'trainable', expected: 'true or false', received });
  }
  return { ...(name !== undefined && { name }), ...(trainable !== undefined && { trainable }) };
}

/**
 * The layer's configuration. Throws ConfigError for an option that the layer does not have, also where its absence under
 * the right name is what `resolve` complains of.
 */
export function resolveKnown<O, C>(definition: LayerDefinition<O, C>, options: O, operation: string): C {
  const names = optionNames(definition);
  const strange = unknownOptions(operation, options, names);
  if (strange.length === 0) return definition.resolve(options, operation);
  // An option may be read, or passed on, only beside others than those of the examples.
  const read = readNames(definition, options);
  const [unknown] = strange.filter((name) => !read.includes(name));
  if (unknown !== undefined) throw unknownOption(operation, unknown, names);
  return definition.resolve(options, operation);
}

/** Names of the layer's options, in the order in which it reads them. */
function optionNames<O, C>(definition: LayerDefinition<O, C>): readonly string[] {
  const known = namesByDefinition.get(definition);
  if (known !== undefined) return known;
  const read = definition.examples.flatMap(({ options }) => readNames(definition, options));
  const names = [...new Set([...read, ...Object.keys(COMMON)])];
  namesByDefinition.set(definition, names);
  return names;
}

/** Names that `resolve` asks these options for, and those that it takes over unseen. */
function readNames<O, C>(definition: LayerDefinition<O, C>, options: O): string[] {
  const read = new Set<string>();
  const record = (name: string | symbol) => {
    if (typeof name === 'string') read.add(name);
  };
  const recorder = new Proxy(options as O & object, {
    get(target, name, receiver) {
      record(name);
      return Reflect.get(target, name, receiver);
    },
    has(target, name) {
      record(name);
      return Reflect.has(target, name);
    },
  });
  try {
    const config: unknown = definition.resolve(recorder, definition.type);
    for (const name of Object.keys(Object(config))) record(name);
  } catch {
    // What is wrong with the options is said when they are resolved in earnest.
  }
  return [...read];
}

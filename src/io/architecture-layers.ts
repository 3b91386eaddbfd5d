/**
 * Layers as plain data, {type, name, config, trainable?}, and back: rebuilt by their own `resolve`, from an allow-list
 * alone, the package's layers and those that the caller names.
 */
import { ConfigError } from '../errors.ts';
import { layers as builtIn } from '../layers/index.ts';
import type { Layer, LayerDefinition } from '../layers/layer.ts';
import { asFormatError, checkMembers, invalid } from './architecture-checks.ts';
import { includesJson, isJsonObject, type Json, type JsonObject } from './json-value.ts';

/** A layer function, as `defineLayer` makes them. */
export interface DefinedLayer {
  // biome-ignore lint/suspicious/noExplicitAny: the options and configurations of all layers.
  readonly definition: LayerDefinition<any, any>;
}

/** A layer under its name in the model. */
export interface NamedLayer {
  readonly name: string;
  readonly layer: Layer;
  readonly trainable: boolean;
}

export type Definitions = ReadonlyMap<string, DefinedLayer['definition']>;

/** A layer as plain data. Throws ConfigError where another one, or none, would be made of it. */
export function describeLayer(operation: string, name: string, layer: Layer, frozen: boolean): JsonObject {
  const { type, definition, config } = layer;
  const known = Object.hasOwn(builtIn, type) ? builtIn[type as keyof typeof builtIn].definition : undefined;
  if (known !== undefined && (known as unknown) !== definition) {
    throw new ConfigError({
      operation,
      argument: `layer ${JSON.stringify(name)}`,
      expected: `a type of its own, since it is not the package's ${type}`,
      received: JSON.stringify(type),
      hint: 'give its definition another type',
    });
  }
  return { type, name, config: config as JsonObject, ...(frozen && { trainable: false }) };
}

/** The package's layers and the caller's, by type. Throws ConfigError where one would hide another. */
export function definitionsWith(operation: string, own: readonly DefinedLayer[]): Definitions {
  const definitions = new Map<string, DefinedLayer['definition']>(
    Object.values(builtIn).map(({ definition }) => [definition.type, definition]),
  );
  for (const layer of own) {
    const definition = layer?.definition;
    if (typeof definition?.type !== 'string' || typeof definition.resolve !== 'function') {
      throw new ConfigError({
        operation,
        argument: 'layers',
        expected: 'layer functions that defineLayer made',
        received: typeof layer,
      });
    }
    if (definitions.has(definition.type) && definitions.get(definition.type) !== definition) {
      throw new ConfigError({
        operation,
        argument: 'layers',
        expected: 'a type that no other layer has',
        received: JSON.stringify(definition.type),
      });
    }
    definitions.set(definition.type, definition);
  }
  return definitions;
}

/** Layers from plain data. Throws FormatError for unknown types, for names that occur twice, and senseless options. */
export function buildLayers(operation: string, data: Json, definitions: Definitions): NamedLayer[] {
  const where = 'architecture.layers';
  if (!Array.isArray(data) || data.length === 0) {
    throw invalid(operation, where, 'a list of at least one', data);
  }
  const layers = data.map((layer, i) => buildLayer(operation, `${where}[${i}]`, layer, definitions));
  const names = new Set<string>();
  for (const [i, { name, layer }] of layers.entries()) {
    const follows = layer.definition.following?.(layer.config) !== undefined;
    for (const each of follows ? [name, `${name}/activation`] : [name]) {
      if (names.has(each))
        throw invalid(operation, `${where}[${i}].name`, 'a name that no other layer has', each);
      names.add(each);
    }
  }
  return layers;
}

function buildLayer(operation: string, where: string, data: Json, definitions: Definitions): NamedLayer {
  checkMembers(operation, where, data, ['type', 'name', 'config'], ['trainable']);
  const { type, name, config, trainable = true } = data;
  const definition = typeof type === 'string' ? definitions.get(type) : undefined;
  if (definition === undefined) {
    const known = `one of ${[...definitions.keys()].join(', ')}`;
    const hint = 'a layer of your own is passed to load: { layers: [yourLayer] }';
    throw invalid(operation, `${where}.type`, known, type, hint);
  }
  if (typeof name !== 'string' || !/^[\w./-]+$/.test(name)) {
    throw invalid(operation, `${where}.name`, 'a name of letters, digits, _ . - /', name);
  }
  if (typeof trainable !== 'boolean') {
    throw invalid(operation, `${where}.trainable`, 'true or false', trainable);
  }
  if (!isJsonObject(config)) throw invalid(operation, `${where}.config`, 'an object', config);
  const resolved: unknown = asFormatError(operation, where, () =>
    definition.resolve(config, `${type} "${name}"`),
  );
  // What the layer did not take over it does not know: a damaged file, or one of a version with more options.
  if (!includesJson(resolved, config)) {
    const sense = `a configuration of ${type}, such as ${JSON.stringify(resolved)}`;
    throw invalid(operation, `${where}.config`, sense, config);
  }
  const layer = { type: definition.type, name, config: resolved, definition };
  return { name, trainable, layer: trainable ? layer : { ...layer, trainable } };
}

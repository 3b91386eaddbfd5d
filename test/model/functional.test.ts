import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { add, concatenate, conv2d, dense, flatten, maxPooling2d } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { applyLayer, input, type SymbolicTensor } from '../../src/layers/symbolic.ts';
import { functionalGraph } from '../../src/model/functional.ts';
import { graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { summaryRows } from '../../src/model/summary.ts';

const conv = (filters: number, options: object = {}) =>
  conv2d({ filters, kernelSize: 3, padding: 'same', ...options });
const image = (name?: string) => input({ shape: [6, 6, 2], ...(name !== undefined && { name }) });

test('a chain of calls is the sequential graph', () => {
  const layers = [conv(4, { activation: 'elu' }), maxPooling2d(), flatten(), dense({ units: 3 })];
  const x = image();
  const chained = functionalGraph(
    x,
    layers.reduce<SymbolicTensor>((y, layer) => layer(y), x),
  );
  const { outputNames, ...rest } = chained;
  const { outputNames: _, ...expected } = sequentialGraph([6, 6, 2], layers);
  assert.deepEqual(rest, expected);
  assert.deepEqual(outputNames, ['dense']);
});

test('layers run in the order in which they were called, and are named in that order', () => {
  const x = image();
  const [a, b] = [conv(2)(x), conv(3)(x)];
  const c = concatenate()([b, a]);
  const graph = functionalGraph(x, add()([conv(5)(c), c]));
  assert.deepEqual(
    graph.nodes.map(({ name, outputShape }) => `${name} ${outputShape.at(-1)}`),
    ['conv2d 2', 'conv2d_1 3', 'concatenate 5', 'conv2d_2 5', 'add 5'],
  );
  assert.deepEqual(
    graph.nodes.map(({ inputs }) => inputs),
    [[0], [0], [2, 1], [3], [4, 3]],
  );
});

test('only what leads to an output becomes part of the model', () => {
  const x = image();
  conv(7)(x);
  assert.deepEqual(
    functionalGraph(x, conv(2)(x)).nodes.map(({ name }) => name),
    ['conv2d'],
  );
});

test('a layer called twice has its parameters once; its calls are counted', () => {
  const x = image();
  const shared = conv(2, { name: 'shared', activation: 'elu' });
  const graph = functionalGraph(x, shared(shared(shared(x))));
  assert.deepEqual(
    graphParameters(graph).map(({ name }) => name),
    ['shared/weight', 'shared/bias'],
  );
  assert.deepEqual(
    graph.nodes.map(({ name }) => name),
    ['shared', 'shared/activation', 'shared:1', 'shared/activation:1', 'shared:2', 'shared/activation:2'],
  );
  assert.deepEqual(
    summaryRows(graph).map(({ name, parameters }) => [name, parameters]),
    [['shared', 38]],
  );
});

test('inputs and outputs have names: given, by key, or those of their layers', () => {
  const [left, right] = [image('left'), image()];
  const joined = add({ name: 'both' })([left, right]);
  const top = conv(2);
  const listed = functionalGraph([left, right], [joined, top(joined), top(top(joined))]);
  assert.deepEqual(listed.inputNames, ['left', 'input']);
  assert.deepEqual(listed.outputNames, ['both', 'conv2d', 'conv2d_1']);
  const named = functionalGraph([left, right], { a: joined, b: top(joined) });
  assert.deepEqual(named.outputNames, ['a', 'b']);
  assert.deepEqual(named.outputs, [2, 3]);
});

test('a model may begin in the middle of another one', () => {
  const x = image();
  const middle = conv(4)(x);
  const graph = functionalGraph(middle, dense({ units: 2 })(flatten()(middle)));
  assert.deepEqual(graph.tensors[graph.input], [6, 6, 4]);
  assert.deepEqual(
    graph.nodes.map(({ name }) => name),
    ['flatten', 'dense'],
  );
});

const refused = (build: () => unknown, kind: 'ConfigError' | 'ShapeError', message: string) =>
  assert.throws(build, { name: kind, message });

test('a shape that does not fit is refused where the layer is called, with both shapes', () => {
  const x = image();
  const wide = conv(4, { name: 'wide' })(x);
  refused(
    () => add({ name: 'sum' })([x, wide]),
    'ShapeError',
    'add "sum": input 1: expected extents as in [6, 6, 2], or 1, got [6, 6, 4]',
  );
  refused(
    () => concatenate()([x, maxPooling2d()(x)]),
    'ShapeError',
    'concatenate: input 1: expected the extent of input 0, [6, 6, 2], in all but the channels, got [3, 3, 2]',
  );
  refused(
    () => dense({ units: 2, name: 'top' })(wide),
    'ShapeError',
    'dense "top": input shape: expected a vector [F], got [6, 6, 4] (put flatten() before it)',
  );
  assert.throws(() => input({ shape: [4, 4, 4, 4] }), ShapeError);
});

test('a shared layer whose calls would need different parameters is refused, with all shapes', () => {
  const x = image();
  const shared = conv(4, { name: 'shared' });
  refused(
    () => functionalGraph(x, shared(shared(x))),
    'ShapeError',
    'conv2d "shared": call 2, input [6, 6, 4]: expected an input that takes the parameters [3, 3, 2, 4], [4] of ' +
      'the call on [6, 6, 2], got one that takes [3, 3, 4, 4], [4] (a layer called twice is shared: make two ' +
      'layers for two sets of parameters)',
  );
});

test('an input that is not listed, and one that leads nowhere, are refused', () => {
  const [left, right] = [image('left'), image('right')];
  const joined = add()([left, right]);
  refused(
    () => functionalGraph(left, joined),
    'ConfigError',
    'functional: inputs: expected every input that the outputs depend on, got a list without input "right" [6, 6, 2]',
  );
  refused(
    () => functionalGraph([left, right], conv(2)(left)),
    'ConfigError',
    'functional: inputs[1]: expected a tensor that an output depends on, got input "right" [6, 6, 2], which leads to none',
  );
});

test('a cycle, which only tampering can make, is refused', () => {
  const x = image();
  const a = conv(2, { name: 'a' })(x);
  const b = conv(2, { name: 'b' })(a);
  const inputs = a.inputs as SymbolicTensor[];
  inputs[0] = b;
  refused(
    () => functionalGraph(x, b),
    'ConfigError',
    'functional: inputs of conv2d "a" [6, 6, 2]: expected tensors that were made before it, got conv2d "b" ' +
      '[6, 6, 2], made after it: a cycle',
  );
});

test('wrong kinds and numbers of inputs are refused', () => {
  const x = image();
  const uncalled = conv(2) as unknown as SymbolicTensor;
  assert.throws(() => conv(2)(uncalled), /expected tensors, .* got a layer that was not called/);
  assert.throws(() => conv(2)(undefined as unknown as SymbolicTensor), /got undefined/);
  assert.throws(() => conv(2)([x, x]), /conv2d: inputs: expected one tensor, got 2/);
  assert.throws(() => add()(x), /add: inputs: expected a list of two or more tensors, got 1/);
  assert.throws(
    () => functionalGraph([], conv(2)(x)),
    /inputs: expected one tensor or more, each once, got none/,
  );
  assert.throws(() => functionalGraph([x, x], conv(2)(x)), /got the same tensor twice/);
  assert.throws(() => functionalGraph(x, x), /outputs: expected at least one layer between/);
  assert.throws(() => functionalGraph(x, []), /outputs: expected one tensor or more/);
  assert.throws(() => functionalGraph(x, {}), /outputs: expected one tensor or more/);
  assert.throws(() => sequentialGraph([4], [add({ name: 'sum' })]), {
    name: 'ConfigError',
    message: 'add "sum": inputs: expected a list of two or more tensors, got 1',
  });
});

test('two layers of one name are refused, one layer under a name of its own twice is not', () => {
  const x = image();
  const twice = dense({ units: 2, name: 'top' })(dense({ units: 2, name: 'top' })(flatten()(x)));
  assert.throws(() => functionalGraph(x, twice), ConfigError);
  const once = conv(2, { name: 'top' });
  assert.equal(functionalGraph(x, once(once(x))).nodes.length, 2);
});

test('a layer that is plain data, as from a file, is applied like any other', () => {
  const { type, config, definition } = conv(3);
  const plain: Layer = { type, name: 'plain', config, definition };
  const x = image();
  assert.deepEqual(
    functionalGraph(x, applyLayer(plain, x)).nodes.map(({ name }) => name),
    ['plain'],
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { graphSvg } from '../../../scripts/networks/graph-svg.ts';
import { networkNamed, networks } from '../../../scripts/networks/networks.ts';
import { add, conv2d, functional, input } from '../../../src/index.ts';

const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

test('a drawing has a box a layer and input, and an arrow a connection', () => {
  const { graph } = networks.cifarInception!({});
  const svg = graphSvg(graph, 'cifarInception');
  const connections = graph.nodes.filter(({ name }) => !name.endsWith('/activation'));
  const arrows = connections.reduce((sum, { inputs }) => sum + inputs.length, 0);
  assert.equal(count(svg, /<g><rect /g), connections.length + 1);
  assert.equal(count(svg, /marker-end/g), arrows);
  assert.match(svg, /<title>cifarInception: 343,202 parameters<\/title>/);
  assert.doesNotMatch(svg, /NaN|undefined/);
});

test('boxes do not overlap', () => {
  const svg = graphSvg(networks.googLeNet!({}).graph, 'googLeNet');
  const boxes = [...svg.matchAll(/<g><rect x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"/g)].map(
    ([, ...numbers]) => numbers.map(Number) as [number, number, number, number],
  );
  assert.equal(boxes.length, 97);
  boxes.forEach(([x, y, w, h], i) => {
    for (const [x2, y2, w2, h2] of boxes.slice(i + 1)) {
      assert.ok(x + w <= x2 || x2 + w2 <= x || y + h <= y2 || y2 + h2 <= y);
    }
  });
});

test('a shared layer is one box with an arrow for each call; text is escaped', () => {
  const x = input({ shape: [4, 4, 2] });
  const shared = conv2d({ name: 'shared', filters: 2, kernelSize: 3, padding: 'same' });
  const { graph } = functional({ inputs: x, outputs: add()([shared(x), shared(shared(x))]) });
  const svg = graphSvg(graph, 'a < b & c');
  assert.equal(count(svg, /<g><rect /g), 3);
  assert.match(svg, /<title>a &lt; b &amp; c:/);
});

test('every network of the zoo is known by its name, and others are refused with the list', () => {
  for (const name of Object.keys(networks)) assert.equal(networkNamed('graph', name), networks[name]);
  for (const name of ['vgg', 'toString', undefined]) {
    assert.throws(
      () => networkNamed('graph', name),
      /^ConfigError: graph: NAME: expected one of cifarInception, .* got/,
    );
  }
});

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type BackwardContext,
  type BufferRef,
  defineLayer,
  type ForwardContext,
} from '../../src/layers/layer.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { planProgram } from '../../src/model/plan.ts';
import { PLAIN_INPUT, probePlan } from '../helpers/conformance-model.ts';

type Passes = {
  forward?: (context: ForwardContext<unknown>) => void;
  backward?: (context: BackwardContext<unknown>) => void;
};

/** Emits a training step of a layer with one parameter `scale` whose passes look at their context. */
function emit(passes: Passes, name = 'mine'): void {
  const layer = defineLayer<Record<string, never>, Record<string, never>>({
    type: 'looking',
    resolve: () => ({}),
    outputShape: (_config, [input]) => input!,
    parameters: (_config, [input]) => [{ name: 'scale', shape: input!, initializer: 'ones' }],
    ...passes,
    examples: [],
  });
  probePlan({ ...layer({}), name }, [4], { batchSize: 2, shardSize: 1, seed: 7 });
}

test('each request for scratch is a buffer of its own, several for one call too', () => {
  const seen: BufferRef[] = [];
  emit({ forward: ({ scratch }) => void seen.push(scratch(10), scratch(20)) });
  assert.notEqual(seen[0]!.buffer, seen[1]!.buffer);
  assert.deepEqual(
    seen.map(({ buffer }) => buffer.fixedBytes),
    [40, 80],
  );
});

test('what the forward pass saves under a name is what the backward pass finds', () => {
  const seen: BufferRef[] = [];
  emit({
    forward: ({ saved }) => void seen.push(saved('mask', 4), saved('other', 4)),
    backward: ({ saved }) => void seen.push(saved('mask', 4)),
  });
  assert.equal(seen[0]!.buffer, seen[2]!.buffer);
  assert.notEqual(seen[0]!.buffer, seen[1]!.buffer);
});

test('the first gradient of a parameter is written, the second one of the same parameter added to it', () => {
  const seen: boolean[] = [];
  const ask = ({ gradParameter, gradInput }: BackwardContext<unknown>) => {
    for (const gradient of [gradParameter('scale'), gradParameter('scale'), gradInput(), gradInput()]) {
      seen.push(gradient!.accumulate);
    }
  };
  emit({ backward: ask });
  assert.deepEqual(seen, [false, true, false, true]);
});

test('a parameter that the layer did not declare is refused by name', () => {
  const refused = (passes: Passes) =>
    assert.throws(() => emit(passes), {
      name: 'ConfigError',
      message: 'looking "mine": parameter: expected one of scale, got "weight"',
    });
  refused({ forward: ({ parameter }) => void parameter('weight') });
  refused({ forward: ({ prepared }) => void prepared('packed', 'weight', 4, { kind: 'packDense' }) });
  refused({ backward: ({ gradParameter }) => void gradParameter('weight') });
});

test('random streams differ by purpose and by the layer’s name, and are the seed’s', () => {
  const keys: (readonly [number, number])[] = [];
  const look = ({ streamKey }: ForwardContext<unknown>) =>
    void keys.push(streamKey('noise'), streamKey('mask'));
  emit({ forward: look });
  emit({ forward: look }, 'other');
  assert.equal(new Set(keys.map(String)).size, 4);
  const again = keys.slice(0, 2);
  keys.length = 0;
  emit({ forward: look });
  assert.deepEqual(keys, again);
});

test('a layer knows whether it trains; without training it is not asked for gradients', () => {
  const modes: string[] = [];
  const watched = defineLayer<Record<string, never>, Record<string, never>>({
    type: 'watched',
    resolve: () => ({}),
    outputShape: (_config, [input]) => input!,
    forward: ({ mode }) => void modes.push(mode),
    backward: () => void modes.push('backward'),
    examples: [],
  });
  probePlan(watched({}), [4], { batchSize: 1, shardSize: 1 });
  assert.deepEqual(modes.splice(0), ['train', 'backward']);
  probePlan(watched({}), [4], { batchSize: 1, shardSize: 1, first: true });
  assert.deepEqual(modes.splice(0), ['train'], 'nothing upstream is trained');
  const graph = sequentialGraph([4], [watched({})]);
  planProgram(graph, { mode: 'predict', batchSize: 1, shardSize: 1, input: PLAIN_INPUT, seed: 0 });
  assert.deepEqual(modes, ['infer']);
});

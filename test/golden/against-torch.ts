/**
 * The rule for whole networks, where derived bounds become vacuous: the error against PyTorch's f64 is at most
 * 3 times that of PyTorch's own f32, in the Euclidean norm of each tensor.
 */
import assert from 'node:assert/strict';
import { type Fixture, type NotebookJson, sampleLike } from '../helpers/fixture.ts';

export const MOST_TIMES_TORCH = 3;

/** |computed - f64| / |f32 - f64| of a stored tensor such as `logits` or `sgd/loss`; throws where it is above 3. */
export function assertNearAsTorch(
  fixture: Fixture<NotebookJson>,
  name: string,
  computed: ArrayLike<number>,
): number {
  const truth = fixture.tensor(`f64/${name}`).data;
  const ratio = distance(computed, truth) / distance(fixture.tensor(`f32/${name}`).data, truth);
  assert.ok(ratio <= MOST_TIMES_TORCH, `${name}: error is ${ratio} times that of PyTorch's f32`);
  return ratio;
}

/**
 * The same for a sampled tensor, given whole: `group` is `gradient`, `sgd` or `nesterov`, `name` a parameter or
 * `images`. The sum and the norm of all elements must fit too: a whole tensor whose error per element is
 * 3 times that of PyTorch's sample can move its norm by no more than that error's norm, and its sum by
 * sqrt(size) as much. For `sgd` and `nesterov` these are of the change from `start`, the drawn parameter.
 */
export function assertWholeNearAsTorch(
  fixture: Fixture<NotebookJson>,
  group: string,
  name: string,
  computed: ArrayLike<number>,
  start?: ArrayLike<number>,
): number {
  const key = `${group}/${name}`;
  const ratio = assertNearAsTorch(fixture, key, sampleLike(fixture.json, name, computed));
  const truth = fixture.tensor(`f64/${key}`).data;
  const { size } = fixture.json.samples[name]!;
  const sampled = distance(fixture.tensor(`f32/${key}`).data, truth);
  const allowed = MOST_TIMES_TORCH * sampled * Math.sqrt(size / truth.length);
  const summarised = Float64Array.from(computed, (value, i) => value - (start?.[i] ?? 0));
  const { sum, norm } = fixture.json.summaries[`f64/${key}`]!;
  const moved = Math.abs(distance(summarised, new Float64Array(size)) - norm);
  assert.ok(moved <= allowed, `${key}: norm of all elements is off by ${moved}, more than ${allowed}`);
  const shifted = Math.abs(summarised.reduce((total, value) => total + value, 0) - sum);
  const most = allowed * Math.sqrt(size);
  assert.ok(shifted <= most, `${key}: sum of all elements is off by ${shifted}, more than ${most}`);
  return ratio;
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(squares);
}

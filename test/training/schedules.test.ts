import assert from 'node:assert/strict';
import test from 'node:test';
import {
  adam,
  ConfigError,
  cosineDecay,
  exponentialDecay,
  type LearningRateSchedule,
  oneCycle,
  piecewiseConstantDecay,
  sgd,
  warmup,
} from '../../src/index.ts';
import { loadFixture } from '../helpers/fixture.ts';

const { tensor } = loadFixture('schedules');

/** Throws unless the rates are PyTorch's within a few roundings of f64, relative to the largest. */
function assertTorch(name: string, schedule: LearningRateSchedule): void {
  const { data } = tensor(name);
  const largest = Math.max(...data);
  data.forEach((expected, step) => {
    const received = schedule(step);
    // Each takes fewer than ten operations; PyTorch's cosine builds a rate on that of the step before.
    const bound = (name === 'cosine' ? 10 * (step + 1) : 10) * 2 ** -53 * largest;
    assert.ok(
      Math.abs(received - expected) <= bound,
      `${name}, step ${step}: expected ${expected}, got ${received}`,
    );
  });
}

test('rates are PyTorch’s', () => {
  assertTorch('oneCycle', oneCycle({ maxLearningRate: 0.1, totalSteps: 40 }));
  const options = { totalSteps: 33, warmupFraction: 0.45, divFactor: 10, finalDivFactor: 100 };
  assertTorch('oneCycleLinear', oneCycle({ maxLearningRate: 0.3, ...options, annealing: 'linear' }));
  assertTorch('cosine', cosineDecay({ initialLearningRate: 0.2, decaySteps: 20, alpha: 0.01 }));
  const steps = { initialLearningRate: 0.2, decaySteps: 7, decayRate: 0.3, staircase: true };
  assertTorch('steps', exponentialDecay(steps));
  assertTorch('multiStep', piecewiseConstantDecay({ boundaries: [4, 11], values: [0.2, 0.02, 0.002] }));
});

test('the boundary’s step still has the rate before it, as in Keras', () => {
  const schedule = piecewiseConstantDecay({ boundaries: [2, 5], values: [1, 0.5, 0.25] });
  assert.deepEqual([0, 2, 3, 5, 6, 1e6].map(schedule), [1, 1, 0.5, 0.5, 0.25, 0.25]);
});

test('cosine: the highest rate, half of it in the middle, alpha in the end and for ever', () => {
  const schedule = cosineDecay({ initialLearningRate: 0.5, decaySteps: 8, alpha: 0.25 });
  assert.equal(schedule(0), 0.5);
  assert.ok(Math.abs(schedule(4) - 0.5 * 0.625) < 1e-16);
  assert.deepEqual([8, 9, 1e9].map(schedule), [0.125, 0.125, 0.125]);
});

test('cosine with a warm-up: a line from the initial rate to the target, then the decay', () => {
  const schedule = cosineDecay({
    initialLearningRate: 0.25,
    warmupTarget: 1,
    warmupSteps: 3,
    decaySteps: 10,
  });
  assert.deepEqual([0, 1, 2, 3].map(schedule), [0.25, 0.5, 0.75, 1]);
  assert.ok(Math.abs(schedule(8) - 0.5) < 1e-16);
  assert.deepEqual([13, 14].map(schedule), [0, 0]);
});

test('exponential decay without a staircase falls at every step', () => {
  const schedule = exponentialDecay({ initialLearningRate: 1, decaySteps: 2, decayRate: 0.25 });
  assert.deepEqual([0, 1, 2, 3, 4].map(schedule), [1, 0.5, 0.25, 0.125, 0.0625]);
});

test('one cycle stays at its lowest rate behind its steps', () => {
  const schedule = oneCycle({ maxLearningRate: 1, totalSteps: 10, divFactor: 4, finalDivFactor: 2 });
  assert.deepEqual([0, 2, 9, 10, 1e6].map(schedule), [0.25, 1, 0.125, 0.125, 0.125]);
  const falling = oneCycle({ maxLearningRate: 1, totalSteps: 4, warmupFraction: 0, annealing: 'linear' });
  const rates = [0, 1, 2, 3].map(falling);
  assert.ok(rates.every((rate, i) => i === 0 || rate < rates[i - 1]!));
});

test('a warm-up rises to where the other schedule begins, which then runs from its own beginning', () => {
  const inner = piecewiseConstantDecay({ boundaries: [1], values: [0.5, 0.25] });
  const schedule = warmup(inner, { warmupSteps: 4, initialLearningRate: 0.1 });
  const expected = [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.25];
  expected.forEach((rate, step) => {
    assert.ok(Math.abs(schedule(step) - rate) < 1e-16, `step ${step}`);
  });
  assert.deepEqual([0, 1, 2, 3].map(warmup(1, { warmupSteps: 2 })), [0, 0.5, 1, 1]);
});

test('a schedule says what it is, as plain data that survives JSON', () => {
  const schedule = warmup(cosineDecay({ initialLearningRate: 0.1, decaySteps: 5 }), { warmupSteps: 2 });
  const expected = {
    kind: 'warmup',
    warmupSteps: 2,
    initialLearningRate: 0,
    followedBy: {
      kind: 'cosineDecay',
      initialLearningRate: 0.1,
      decaySteps: 5,
      alpha: 0,
      warmupTarget: null,
      warmupSteps: 0,
    },
  };
  assert.deepEqual(schedule.schedule, expected);
  assert.deepEqual(JSON.parse(JSON.stringify(schedule.schedule)), expected);
});

test('optimizers take schedules', () => {
  const schedule = exponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 });
  assert.deepEqual(sgd({ learningRate: schedule }).hyper(3), [0.125, 0, 0, 0]);
  assert.equal(adam({ learningRate: schedule, beta1: 0, beta2: 0.75 }).hyper(0)[0], 0.5);
});

test('options without sense are refused by name', () => {
  const refused = (make: () => unknown, message: RegExp) =>
    assert.throws(make, (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, message);
      return true;
    });
  const cosine = { initialLearningRate: 0.1, decaySteps: 5 };
  refused(
    () => cosineDecay({ ...cosine, decaySteps: 0 }),
    /^cosineDecay: decaySteps: expected a whole number of steps, 1 at least, got 0/,
  );
  refused(
    () => cosineDecay({ ...cosine, initialLearningRate: Number.NaN }),
    /initialLearningRate: expected a finite/,
  );
  refused(() => cosineDecay({ ...cosine, alpha: 2 }), /alpha: expected a number from 0 to 1, got 2/);
  refused(
    () => cosineDecay({ ...cosine, warmupSteps: 3 }),
    /warmupTarget: expected the rate that .*, got undefined/,
  );
  refused(() => cosineDecay({ ...cosine, warmupTarget: 1 }), /warmupSteps: expected a whole number/);
  refused(() => piecewiseConstantDecay({} as never), /boundaries: expected a list of numbers, got undefined/);
  refused(
    () => piecewiseConstantDecay({ boundaries: [5, 5], values: [1, 1, 1] }),
    /boundaries\[1\]: expected whole numbers of steps in rising order, got 5/,
  );
  refused(
    () => piecewiseConstantDecay({ boundaries: [5], values: [1] }),
    /values: expected 2 rates, one more than boundaries, got 1/,
  );
  refused(
    () => piecewiseConstantDecay({ boundaries: [5], values: [1, -1] }),
    /values\[1\]: expected a finite number/,
  );
  refused(
    () => exponentialDecay({ initialLearningRate: 1, decaySteps: 1.5, decayRate: 1 }),
    /decaySteps: expected a whole/,
  );
  refused(
    () => exponentialDecay({ initialLearningRate: 1, decaySteps: 2, decayRate: -1 }),
    /decayRate: expected/,
  );
  refused(() => oneCycle({ maxLearningRate: 1, totalSteps: 1 }), /totalSteps: expected .* 2 at least, got 1/);
  refused(
    () => oneCycle({ maxLearningRate: 1, totalSteps: 9, divFactor: 0 }),
    /divFactor: expected a finite number from 1 on, got 0/,
  );
  refused(
    () => oneCycle({ maxLearningRate: 1, totalSteps: 9, annealing: 'exp' as 'cos' }),
    /annealing: expected 'cos' or 'linear', got exp/,
  );
  refused(() => warmup(-1, { warmupSteps: 3 }), /^warmup: rate: expected a finite number/);
  refused(() => warmup(1, { warmupSteps: 0 }), /warmupSteps: expected a whole/);
});

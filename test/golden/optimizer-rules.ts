/** The optimizers' rules on one weight, in Keras' forms, each operation with the error that f32 may add to it. */
import type { OptimizerCase } from '../helpers/fixture.ts';
import { add, divide, exact, multiply, nearest, type Rounded, squareRoot, subtract } from './rounding.ts';

/** What a step changes, by the fixture's names: `weight` and the optimizer's own state. */
export type OptimizerState = Record<string, Rounded>;

/** One step; `step` counts from 1. */
export type OptimizerRule = (
  state: OptimizerState,
  g: Rounded,
  options: OptimizerCase,
  step: number,
) => OptimizerState;

/** The rules by name. */
export const optimizerRules: Record<OptimizerCase['rule'], OptimizerRule> = {
  sgd(state, g, options): OptimizerState {
    const step = multiply(nearest(options.learningRate), g);
    if (options.momentum === undefined) return { weight: subtract(state.weight!, step) };
    const momentum = nearest(options.momentum);
    const velocity = subtract(multiply(momentum, state.velocity!), step);
    const move = options.nesterov ? subtract(multiply(momentum, velocity), step) : velocity;
    return { weight: add(state.weight!, move), velocity };
  },
  adam(state, g, options, step) {
    const { learningRate, beta1 = 0, beta2 = 0, epsilon = 0 } = options;
    const towards = (old: Rounded, target: Rounded, beta: number) =>
      add(old, multiply(subtract(target, old), nearest(1 - beta)));
    const firstMoment = towards(state.firstMoment!, g, beta1);
    const secondMoment = towards(state.secondMoment!, multiply(g, g), beta2);
    const size = nearest((learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step));
    const below = add(squareRoot(secondMoment), nearest(epsilon));
    const weight = subtract(decayed(state, options), divide(multiply(size, firstMoment), below));
    return { weight, firstMoment, secondMoment };
  },
  rmsprop(state, g, options) {
    const { learningRate, rho = 0, momentum = 0, epsilon = 0, centered = false } = options;
    const square = blend(rho, state.square!, multiply(g, g));
    const mean = centered ? blend(rho, state.mean!, g) : exact(0);
    const difference = centered ? subtract(square, multiply(mean, mean)) : square;
    const spread = { value: Math.max(0, difference.value), error: difference.error };
    const root = squareRoot(add(spread, nearest(epsilon)));
    const step = divide(multiply(nearest(learningRate), g), root);
    const move = momentum === 0 ? step : add(multiply(nearest(momentum), state.momentum!), step);
    return { weight: subtract(state.weight!, move), square, mean, momentum: move };
  },
  adagrad(state, g, { learningRate, epsilon = 0 }) {
    const accumulator = add(state.accumulator!, multiply(g, g));
    const root = squareRoot(add(accumulator, nearest(epsilon)));
    return { weight: subtract(state.weight!, divide(multiply(nearest(learningRate), g), root)), accumulator };
  },
  lion(state, g, options) {
    const { learningRate, beta1 = 0, beta2 = 0 } = options;
    const direction = signOf(blend(beta1, state.momentum!, g));
    const rate = nearest(learningRate);
    const move = {
      value: rate.value * direction.value,
      error: rate.error + rate.value * direction.error,
    };
    const momentum = blend(beta2, state.momentum!, g);
    return { weight: subtract(decayed(state, options), move), momentum };
  },
};

/** w - (w lambda) lr. */
function decayed({ weight }: OptimizerState, { weightDecay = 0, learningRate }: OptimizerCase): Rounded {
  if (weightDecay === 0) return weight!;
  return subtract(weight!, multiply(multiply(weight!, nearest(weightDecay)), nearest(learningRate)));
}

/** kept * old + (1 - kept) * value. */
function blend(kept: number, old: Rounded, value: Rounded): Rounded {
  return add(multiply(nearest(kept), old), multiply(nearest(1 - kept), value));
}

/** The sign; where f32 may have another one, it may be off by 2. Sums and products of exact zeros are 0. */
function signOf({ value, error }: Rounded): Rounded {
  if (value === 0 && error < 2 ** -140) return exact(0);
  return { value: Math.sign(value), error: Math.abs(value) > error ? 0 : 2 };
}

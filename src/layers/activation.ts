/**
 * Activation layers: an elementwise function, or softmax over the last axis.
 *   input, output [H, W, C], [L, C] or [F]
 *   forward: y = f(x); backward: dX = dY * f'(x), from x or from y, whichever the function keeps
 * Source: the seed's section 2.1 (ReLU eq. 2.5, leaky ReLU, softplus, ELU, GELU), sigmoid, tanh; ReLU6, SiLU (swish),
 * hard sigmoid and hard swish of mobile networks.
 */
import { ConfigError, formatValue } from '../errors.ts';
import type { ActivationBackwardSpec } from '../kernels/activation-backward.ts';
import type { ActivationForwardSpec } from '../kernels/activation-forward.ts';
import { ACTIVATIONS, type ActivationName } from '../kernels/activation-functions.ts';
import type { SoftmaxBackwardSpec } from '../kernels/softmax-backward.ts';
import type { SoftmaxForwardSpec } from '../kernels/softmax-forward.ts';
import { type BackwardContext, defineLayer, type ForwardContext } from './layer.ts';

/** Names that `activation` options take. */
export type ActivationOption = 'linear' | 'softmax' | ActivationName | keyof typeof ALIASES;

/** Keras' second names; configurations hold the first ones. */
const ALIASES = { swish: 'silu', hardSilu: 'hardSwish' } as const;

export interface ActivationOptions {
  readonly function: ActivationOption;
  /** Slope of leaky ReLU for x < 0 (default 0.01, the seed's), or ELU's scale (default 1). */
  readonly alpha?: number;
}

export interface ActivationConfig {
  readonly function: ActivationOption;
  readonly alpha: number;
}

/** Whether convolution and dense kernels apply the activation while storing. */
export function isFused(name: ActivationOption): boolean {
  return name === 'linear' || name === 'relu';
}

function forward({ config, inputs, output, call }: ForwardContext<ActivationConfig>): void {
  const [input] = inputs;
  const operands = [input!.origin, output.origin, 'count'] as const;
  if (config.function === 'softmax') {
    const spec: SoftmaxForwardSpec = { kind: 'softmaxForward', input: input!.view, output: output.view };
    call(spec, operands);
    return;
  }
  const spec: ActivationForwardSpec = {
    kind: 'activationForward',
    function: kernelName(config),
    alpha: alphaOf(config),
    input: input!.view,
    output: output.view,
  };
  call(spec, operands);
}

function backward(context: BackwardContext<ActivationConfig>): void {
  const { config, inputs, output, gradOutput, call } = context;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const views = { gradOutput: gradOutput.view, gradInput: gradInput.view, accumulate: gradInput.accumulate };
  if (config.function === 'softmax') {
    const spec: SoftmaxBackwardSpec = { kind: 'softmaxBackward', output: output.view, ...views };
    call(spec, [output.origin, gradOutput.origin, gradInput.origin, 'count']);
    return;
  }
  const name = kernelName(config);
  const saved = ACTIVATIONS[name].saves === 'input' ? inputs[0]! : output;
  const spec: ActivationBackwardSpec = {
    kind: 'activationBackward',
    function: name,
    alpha: alphaOf(config),
    saved: saved.view,
    ...views,
  };
  call(spec, [saved.origin, gradOutput.origin, gradInput.origin, 'count']);
}

/** 'linear' runs as a leaky ReLU of slope 1, which is the identity bit for bit. */
function kernelName(config: ActivationConfig): ActivationName {
  return config.function === 'linear' ? 'leakyRelu' : (config.function as ActivationName);
}

function alphaOf(config: ActivationConfig): number {
  return config.function === 'linear' ? 1 : config.alpha;
}

/** The activation's first name. Throws ConfigError unless `name` is one's. */
export function checkActivation(operation: string, argument: string, name: unknown): ActivationOption {
  const known = ['linear', 'softmax', ...Object.keys(ACTIVATIONS)];
  const first = Object.hasOwn(ALIASES, name as string) ? ALIASES[name as keyof typeof ALIASES] : name;
  if (known.includes(first as string)) return first as ActivationOption;
  throw new ConfigError({
    operation,
    argument,
    expected: `one of ${known.join(', ')}`,
    received: formatValue(name),
  });
}

/** An activation as a layer of its own. Throws ConfigError for an unknown function or a negative alpha. */
export const activation = defineLayer<ActivationOptions, ActivationConfig>({
  type: 'activation',
  resolve(options, operation) {
    const name = checkActivation(operation, 'function', options.function);
    const alpha = options.alpha ?? (name === 'leakyRelu' ? 0.01 : 1);
    if (!Number.isFinite(alpha) || alpha < 0) {
      throw new ConfigError({
        operation,
        argument: 'alpha',
        expected: 'a finite number from 0 on',
        received: String(options.alpha),
      });
    }
    return { function: name, alpha };
  },
  outputShape: (_config, [input]) => input!,
  forward,
  recompute: forward,
  backward,
  examples: [
    'linear',
    'relu',
    'leakyRelu',
    'elu',
    'softplus',
    'gelu',
    'geluTanh',
    'sigmoid',
    'tanh',
    'softmax',
    'relu6',
    'silu',
    'hardSigmoid',
    'hardSwish',
  ].map((name, i) => ({
    options: { function: name as ActivationOption },
    inputShape: i % 2 === 0 ? [3, 5, 3] : [7],
  })),
});

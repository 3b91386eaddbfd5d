/** Losses as kernel calls, and what targets they take. */
import type { Targets } from '../data/dataset.ts';
import { ShapeError } from '../errors.ts';
import type { DiceLossSpec } from '../kernels/dice-loss.ts';
import type { ElementLoss, ElementLossSpec } from '../kernels/element-loss.ts';
import type { PixelCrossEntropySpec } from '../kernels/pixel-cross-entropy.ts';
import type { SoftmaxCrossEntropySpec } from '../kernels/softmax-cross-entropy.ts';
import type { TensorRef } from '../layers/layer.ts';
import type { LossContext, LossPlan } from '../model/contracts.ts';
import { elementCount, formatShape, type Shape, sameShape } from '../tensor/shape.ts';
import { isNumbers, type Loss, type LossName, resolveLoss } from './losses.ts';

/** The plan of a loss. `targets`: how the data set stores them. Throws ConfigError for unknown names. */
export function lossPlan(loss: LossName | Loss, targets: 'index' | 'dense'): LossPlan {
  const resolved = resolveLoss(loss);
  const { name, labelSmoothing = 0 } = resolved;
  const key = JSON.stringify(
    labelSmoothing === 0 && Object.keys(resolved).length <= 2
      ? [name, targets, labelSmoothing]
      : [resolved, targets],
  );
  if (name === 'dice') {
    const answers = pixelsOf;
    return {
      name: key,
      takesLogits: false,
      answers,
      emit: (context) => emitDice(context, targets, resolved),
    };
  }
  if (isNumbers(name) || name === 'binaryCrossentropy') {
    const regression = isNumbers(name);
    return {
      name: key,
      takesLogits: !regression,
      activation: 'sigmoid',
      regression,
      ...(!regression && { answers: ({ shape }: TensorRef) => elementCount(shape) }),
      emit: (context) => emitElements(context, targets, resolved),
    };
  }
  return {
    name: key,
    takesLogits: true,
    answers: pixelsOf,
    emit(context) {
      const { output, classWeights } = context;
      const isVector = output.shape.length === 1 && classWeights === undefined;
      if (isVector && (context.undone || resolved.fromLogits !== false)) {
        emitVector(context, targets, labelSmoothing);
      } else emitPixels(context, targets, resolved);
    },
  };
}

/** Pixels of an output [H, W, C], steps of one [L, C], 1 of a vector. */
function pixelsOf({ shape }: TensorRef): number {
  return elementCount(shape.slice(0, -1));
}

function emitVector(context: LossContext, targets: 'index' | 'dense', labelSmoothing: number): void {
  const { output, gradient, call, sampleScale, losses, correct } = context;
  const spec: SoftmaxCrossEntropySpec = {
    kind: 'softmaxCrossEntropy',
    classes: output.view.channels,
    logitsStride: output.view.imageStride,
    targets,
    labelSmoothing,
    gradient: gradient !== undefined,
  };
  const written = gradient === undefined ? [] : [gradient.origin];
  call(spec, [output.origin, context.targets, sampleScale, ...written, losses, correct, 'count']);
}

function emitPixels(context: LossContext, targets: 'index' | 'dense', loss: Loss): void {
  const { output, gradient, classWeights, call, sampleScale, losses, correct } = context;
  const spec: PixelCrossEntropySpec = {
    kind: 'pixelCrossEntropy',
    from: context.undone || loss.fromLogits !== false ? 'logits' : 'probabilities',
    labelSmoothing: loss.labelSmoothing ?? 0,
    weighted: classWeights !== undefined,
    targets,
    input: output.view,
    ...(gradient && { gradInput: gradient.view }),
  };
  const weights = classWeights === undefined ? [] : [classWeights];
  const written = gradient === undefined ? [] : [gradient.origin];
  const before = [output.origin, context.targets, ...weights, sampleScale];
  call(spec, [...before, ...written, losses, correct, 'count']);
}

function emitElements(context: LossContext, targets: 'index' | 'dense', loss: Loss): void {
  const { output, gradient, call, sampleScale, losses, correct, errors } = context;
  const logits = context.undone || loss.fromLogits !== false;
  const binary = loss.name === 'binaryCrossentropy' && logits ? 'binaryCrossentropyLogits' : loss.name;
  const spec: ElementLossSpec = {
    kind: 'elementLoss',
    loss: binary as ElementLoss,
    labelSmoothing: loss.labelSmoothing ?? 0,
    delta: loss.delta ?? 1,
    targets,
    input: output.view,
    ...(gradient && { gradInput: gradient.view }),
  };
  const written = gradient === undefined ? [] : [gradient.origin];
  const before = [output.origin, context.targets, sampleScale];
  call(spec, [...before, ...written, losses, correct, errors, 'count']);
}

function emitDice(context: LossContext, targets: 'index' | 'dense', { smooth = 1e-7 }: Loss): void {
  const { output, gradient, call, sampleScale, losses, correct } = context;
  const spec: DiceLossSpec = {
    kind: 'diceLoss',
    smooth,
    targets,
    input: output.view,
    ...(gradient && { gradInput: gradient.view }),
  };
  const written = gradient === undefined ? [] : [gradient.origin];
  call(spec, [output.origin, context.targets, sampleScale, ...written, losses, correct, 'count']);
}

/** Throws ShapeError unless targets are what the loss takes for an output. */
export function checkTargets(
  operation: string,
  loss: Loss,
  output: Shape,
  targets: Targets,
  argument: string,
): void {
  const refuse = (expected: string, received: string, hint?: string) => {
    const details = { operation, argument, expected, received };
    throw new ShapeError(hint === undefined ? details : { ...details, hint });
  };
  const channels = output.at(-1)!;
  const pixels = output.slice(0, -1);
  if (targets.kind === 'dense') {
    if (sameShape(targets.shape, output)) return;
    if (output.length === 1 && !isNumbers(loss.name) && elementCount(targets.shape) === channels) return;
    refuse(`values of the output's shape, ${formatShape(output)}`, formatShape(targets.shape));
  } else {
    if (isNumbers(loss.name)) {
      refuse(`numbers of the output's shape, ${formatShape(output)}, for ${loss.name}`, 'class indices');
    }
    const shape = targets.shape ?? [];
    const perPixel = sameShape(shape, pixels) || (pixels.length === 0 && shape.length === 0);
    if (!perPixel) {
      const wanted = pixels.length === 0 ? 'one a sample' : formatShape(pixels);
      const received = shape.length === 0 ? 'one a sample' : formatShape(shape);
      const hint =
        shape.length === 0 ? 'end the model with flatten() and dense(), or give a mask a sample' : undefined;
      refuse(`class indices, ${wanted}, for the output ${formatShape(output)}`, received, hint);
    }
    const single = channels === 1 && ['binaryCrossentropy', 'dice'].includes(loss.name);
    if (single ? targets.classes <= 2 : targets.classes === channels && loss.name !== 'binaryCrossentropy')
      return;
    const classes = single
      ? 'at most 2 classes, no and yes'
      : `${channels} classes, as many as the model has outputs`;
    refuse(
      loss.name === 'binaryCrossentropy' && !single
        ? `values of the output's shape, ${formatShape(output)}, for ${channels} outputs of ${loss.name}`
        : classes,
      String(targets.classes),
    );
  }
}

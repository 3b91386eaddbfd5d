/**
 * ResNet-20 and ResNet-56 for CIFAR-10 (He, Zhang, Ren, Sun 2016, "Deep residual learning for image recognition",
 * section 4.2 and the table in it): 269,722 and 853,018 trained parameters (in the paper's table 6: 0.27M and 0.85M).
 * Depth 6n + 2.
 *
 *   conv 16 | n blocks of 16 at 32x32 | n blocks of 32 at 16x16 | n blocks of 64 at 8x8 | global mean, 10
 *   a block (figure 2): y = ReLU(shortcut(x) + BN(conv(ReLU(BN(conv(x))))))
 *
 * Shortcuts have no parameters: every second pixel and channels of zeros where the size changes (option A).
 */
import { add, dense, globalAveragePooling2d, identityShortcut, stochasticDepth } from '../layers/index.ts';
import { input, type SymbolicTensor } from '../layers/symbolic.ts';
import { conv, type Network, normalized, rectified } from './blocks.ts';

export interface CifarResNetOptions {
  /** Default 10. */
  readonly classes?: number;
  /** Default [32, 32, 3]. */
  readonly inputShape?: readonly [number, number, number];
  /** Filters of the first stage; default 16. */
  readonly filters?: number;
  /**
   * Stochastic depth (Huang et al. 2016, "Deep networks with stochastic depth"): the share of the samples for which the
   * last block is left out while training; block l of L has l/L of it (their eq. 4). Default 0: none; theirs is 0.5.
   */
  readonly stochasticDepth?: number;
}

/** A block whose branch is left out for a share `drop` of the samples. */
function block(
  x: SymbolicTensor,
  name: string,
  filters: number,
  strides: number,
  drop: number,
): SymbolicTensor {
  const first = normalized(conv(x, `${name}_conv1`, filters, 3, strides), `${name}_bn1`);
  const second = conv(rectified(first, `${name}_relu1`), `${name}_conv2`, filters, 3);
  const changes = strides > 1 || x.shape.at(-1) !== filters;
  const shortcut = changes ? identityShortcut({ name: `${name}_shortcut`, filters, strides })(x) : x;
  let branch = normalized(second, `${name}_bn2`);
  if (drop > 0) branch = stochasticDepth({ name: `${name}_depth`, rate: drop })(branch);
  return rectified(add({ name: `${name}_add` })([shortcut, branch]), `${name}_out`);
}

function cifarResNet(blocksPerStage: number, options: CifarResNetOptions): Network {
  const { classes = 10, inputShape = [32, 32, 3], filters = 16, stochasticDepth: rate = 0 } = options;
  const image = input({ shape: inputShape, name: 'image' });
  let x = rectified(normalized(conv(image, 'conv1', filters, 3), 'bn1'), 'relu1');
  for (let stage = 0; stage < 3; stage++) {
    for (let i = 0; i < blocksPerStage; i++) {
      const strides = stage > 0 && i === 0 ? 2 : 1;
      const drop = (rate * (stage * blocksPerStage + i + 1)) / (3 * blocksPerStage);
      x = block(x, `stage${stage + 1}_block${i + 1}`, filters << stage, strides, drop);
    }
  }
  const mean = globalAveragePooling2d({ name: 'mean' })(x);
  const outputs = dense({ name: 'output', units: classes, activation: 'softmax' })(mean);
  return { inputs: image, outputs };
}

/** ResNet-20 (n = 3), for `functional({ ...resNet20(), seed })`. */
export function resNet20(options: CifarResNetOptions = {}): Network {
  return cifarResNet(3, options);
}

/** ResNet-56 (n = 9). */
export function resNet56(options: CifarResNetOptions = {}): Network {
  return cifarResNet(9, options);
}

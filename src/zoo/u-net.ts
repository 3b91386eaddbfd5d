/**
 * U-Net (Ronneberger, Fischer, Brox 2015, "U-Net: convolutional networks for biomedical image segmentation", figure 1):
 * a contracting path of convolutions and poolings, an expanding path of transposed convolutions, and between them at
 * every size a concatenation that hands the details over. 31,030,658 parameters for one channel and two classes.
 *
 *   levels of 64, 128, 256, 512 filters, 1024 at the bottom; two 3x3 convolutions with ReLU each; pooling 2x2 down,
 *   transposed convolution 2x2 up; 1x1 convolution to the classes and a softmax over them, for every pixel
 *
 * The paper's convolutions are 'valid', so its skip connections are cropped; here they are 'same', and the output is
 * as large as the input, whose sides must be multiples of 16.
 */
import { concatenate, conv2d, conv2dTranspose, maxPooling2d } from '../layers/index.ts';
import { input, type SymbolicTensor } from '../layers/symbolic.ts';

export interface UNetOptions {
  /** [H, W, C]; H and W multiples of 2^levels. Default [512, 512, 1]. */
  readonly inputShape?: readonly [number, number, number];
  /** Default 2. */
  readonly classes?: number;
  /** Filters of the first level; default 64. */
  readonly filters?: number;
  /** Poolings; default 4. */
  readonly levels?: number;
}

/** Its inputs and outputs, for `functional({ ...uNet(), seed })`. */
export function uNet(options: UNetOptions = {}): { inputs: SymbolicTensor; outputs: SymbolicTensor } {
  const { inputShape = [512, 512, 1], classes = 2, filters = 64, levels = 4 } = options;
  const image = input({ shape: inputShape, name: 'image' });
  const pair = (x: SymbolicTensor, name: string, width: number) => {
    const same = { filters: width, kernelSize: 3, padding: 'same', activation: 'relu' } as const;
    return conv2d({ name: `${name}_conv2`, ...same })(conv2d({ name: `${name}_conv1`, ...same })(x));
  };
  const skipped: SymbolicTensor[] = [];
  let x: SymbolicTensor = image;
  for (let level = 0; level < levels; level++) {
    skipped.push(pair(x, `down${level + 1}`, filters << level));
    x = maxPooling2d({ name: `down${level + 1}_pool` })(skipped[level]!);
  }
  x = pair(x, 'bottom', filters << levels);
  for (let level = levels - 1; level >= 0; level--) {
    const name = `up${level + 1}`;
    const up = conv2dTranspose({ name: `${name}_up`, filters: filters << level, kernelSize: 2, strides: 2 })(
      x,
    );
    x = pair(concatenate({ name: `${name}_joined` })([skipped[level]!, up]), name, filters << level);
  }
  const outputs = conv2d({ name: 'classes', filters: classes, kernelSize: 1, activation: 'softmax' })(x);
  return { inputs: image, outputs };
}

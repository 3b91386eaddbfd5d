/**
 * A small network for images of any size: 1,177,706 parameters for [64, 64, 3] and ten classes. After VGG (Simonyan and
 * Zisserman 2015) with batch normalisation (Ioffe and Szegedy 2015) and, in the place of large dense layers, the
 * mean over positions (Lin et al. 2014).
 *
 *   up to 4 stages: conv 3x3, norm, ReLU, twice; max pooling 2x2; of 32, 64, 128, 256 filters
 *   global mean, dropout 0.3, dense, softmax
 *
 * A stage is left out where the image would be smaller than 4 pixels after it.
 */
import { dense, dropout, globalAveragePooling2d, maxPooling2d } from '../layers/index.ts';
import { input } from '../layers/symbolic.ts';
import { conv, type Network, normalized, rectified } from './blocks.ts';

export interface SmallConvNetOptions {
  /** [H, W, C]. Default [64, 64, 3]. */
  readonly inputShape?: readonly [height: number, width: number, channels: number];
  /** Default 10. */
  readonly classes?: number;
  /** Of the first stage; each one has twice as many as the one before. Default 32. */
  readonly filters?: number;
  /** Rate of the dropout before the classifier. Default 0.3. */
  readonly dropout?: number;
}

const MOST_STAGES = 4;
const LEAST_PIXELS = 4;

/** For `functional({ ...smallConvNet({ inputShape: [96, 96, 3], classes: 4 }), seed })`. */
export function smallConvNet(options: SmallConvNetOptions = {}): Network {
  const { inputShape = [64, 64, 3], classes = 10, filters = 32, dropout: rate = 0.3 } = options;
  const image = input({ shape: inputShape, name: 'image' });
  let x = image;
  let pixels = Math.min(inputShape[0], inputShape[1]);
  for (let stage = 1; stage <= MOST_STAGES; stage++) {
    const width = filters << (stage - 1);
    for (const part of ['a', 'b']) {
      const name = `stage${stage}${part}`;
      x = rectified(normalized(conv(x, `${name}_conv`, width, 3), `${name}_norm`), `${name}_relu`);
    }
    if (pixels < 2 * LEAST_PIXELS) break;
    pixels = Math.floor(pixels / 2);
    if (stage < MOST_STAGES) x = maxPooling2d({ name: `stage${stage}_pool`, poolSize: 2 })(x);
  }
  const pooled = dropout({ name: 'dropout', rate })(globalAveragePooling2d({ name: 'mean' })(x));
  return {
    inputs: image,
    outputs: dense({ name: 'predictions', units: classes, activation: 'softmax' })(pooled),
  };
}

/**
 * VGG16 and VGG19 (Simonyan, Zisserman 2015, "Very deep convolutional networks for large-scale image recognition",
 * table 1, columns D and E): 138,357,544 and 143,667,240 parameters. Layers are named as in Keras, so that its
 * weights fit by name. Images [224, 224, 3], in Keras' files BGR with the channels' means subtracted.
 *
 *   blocks of 3x3 convolutions 'same' with ReLU: 2 x 64, 2 x 128, 3 (4) x 256, 3 (4) x 512, 3 (4) x 512, each block
 *   followed by max pooling 2x2; then 4096, 4096, 1000
 *
 * The paper's dropout of 0.5 before fc2 and the predictions is left out by default, as in Keras.
 */
import { conv2d, dense, dropout, flatten, maxPooling2d } from '../layers/index.ts';
import type { Layer } from '../layers/layer.ts';

export interface VggOptions {
  /** Default 1000. */
  readonly classes?: number;
  /** What the classifier ends with; default 'softmax'. 'linear' returns its logits. */
  readonly classifierActivation?: 'softmax' | 'linear';
  /** Whether flatten, fc1, fc2 and predictions are there; default true. */
  readonly includeTop?: boolean;
  /** Filters of the first block; the others have 2, 4, 8 and 8 times as many. Default 64. */
  readonly filters?: number;
  /** Units of fc1 and fc2; default 4096. */
  readonly units?: number;
  /** Rate of the dropout after fc1 and fc2; default 0: none. */
  readonly dropout?: number;
}

/** Filters of the blocks, in those of the first. */
const WIDTHS = [1, 2, 4, 8, 8];

function vgg(depths: readonly number[], options: VggOptions): Layer[] {
  const { classes = 1000, includeTop = true, filters = 64, units = 4096, dropout: rate = 0 } = options;
  const { classifierActivation = 'softmax' } = options;
  const layers: Layer[] = depths.flatMap((depth, i) => {
    const block = `block${i + 1}`;
    const same = { kernelSize: 3, padding: 'same', activation: 'relu' } as const;
    const convolutions = Array.from({ length: depth }, (_, j) =>
      conv2d({ name: `${block}_conv${j + 1}`, filters: filters * WIDTHS[i]!, ...same }),
    );
    return [...convolutions, maxPooling2d({ name: `${block}_pool`, poolSize: 2 })];
  });
  if (!includeTop) return layers;
  const hidden = (name: string): Layer[] => {
    const layer = dense({ name, units, activation: 'relu' });
    return rate > 0 ? [layer, dropout({ rate, name: `${name}_dropout` })] : [layer];
  };
  const predictions = dense({ name: 'predictions', units: classes, activation: classifierActivation });
  return [...layers, flatten({ name: 'flatten' }), ...hidden('fc1'), ...hidden('fc2'), predictions];
}

/** The layers of VGG16, for `sequential({ inputShape: [224, 224, 3], seed }, vgg16())`. */
export function vgg16(options: VggOptions = {}): Layer[] {
  return vgg([2, 2, 3, 3, 3], options);
}

/** The layers of VGG19, for `sequential({ inputShape: [224, 224, 3], seed }, vgg19())`. */
export function vgg19(options: VggOptions = {}): Layer[] {
  return vgg([2, 2, 4, 4, 4], options);
}

/** The images that a measuring process trains on or looks at. */
import { type Cifar10, cifar10 } from '../../src/data/cifar10.ts';

/** So many training images of CIFAR-10 in `data`, or drawn ones for 'synthetic'; bytes in memory. */
export function loadImages(data: string, images: number): Promise<Cifar10> {
  return cifar10.load({
    data,
    limit: images,
    validationSplit: 0,
    fallback: 'error',
    syntheticSizes: { train: images, test: 1 },
  });
}

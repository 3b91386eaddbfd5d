/**
 * A data set of one's own: anything with `size`, a description, and `read`.
 *
 *     npx node examples/own-dataset.ts
 *
 * These samples lie nowhere: each is drawn when it is asked for, from its index alone. `read` may as well copy
 * from a file and return a promise; it runs on the main thread while the workers are busy with the step before.
 */
import { conv2d, type Dataset, dense, flatten, maxPooling2d, sequential } from 'faltung';

const HEIGHT = 16;
const WIDTH = 16;

/** Grey images of stripes, as bytes: class 0 lies, class 1 stands, class 2 slants. */
function stripes(size: number, start: number): Dataset {
  return {
    size,
    inputShape: [HEIGHT, WIDTH, 1],
    inputType: 'uint8',
    targets: { kind: 'index', classes: 3 },
    classNames: ['lying', 'standing', 'slanting'],
    normalization: { kind: 'scale' },
    read(indices, { inputs, targets }) {
      indices.forEach((index, i) => {
        const sample = start + index;
        const direction = sample % 3;
        targets[i] = direction;
        const image = inputs.subarray(i * HEIGHT * WIDTH, (i + 1) * HEIGHT * WIDTH);
        const [period, phase] = [4 + (sample % 5), sample % 7];
        for (let y = 0; y < HEIGHT; y++) {
          for (let x = 0; x < WIDTH; x++) {
            const along = direction === 0 ? y : direction === 1 ? x : x + y;
            image[y * WIDTH + x] = (along + phase) % period < period / 2 ? 200 : 60;
          }
        }
      });
    },
  };
}

const model = sequential({ inputShape: [HEIGHT, WIDTH, 1], seed: 5 }, [
  conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }),
  maxPooling2d({ poolSize: 2 }),
  flatten(),
  dense({ units: 3, activation: 'softmax' }),
]);
const { epochs } = await model.fit(stripes(600, 0), {
  epochs: 3,
  validation: stripes(150, 600),
  onEpoch: ({ epoch, loss, valAccuracy }) =>
    console.log(`epoch ${epoch}: loss ${loss}, right ${valAccuracy}`),
});
console.log(`${Math.round(epochs.at(-1)!.imagesPerSecond)} images/s`);
await model.close();

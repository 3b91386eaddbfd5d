/**
 * What sparse connections save (the paper's introduction): a layer of m inputs and n outputs costs m x n, one in which
 * each output sees k inputs k x n.
 *
 *     npx node examples/sparse-connections.ts
 *
 * Both layers below compute the same function, a 3 x 3 convolution of an image: once as a convolution, once as a dense
 * layer whose weights are the convolution's matrix, nearly all of them zeros.
 */
import { conv2d, dense, flatten, type Model, sequential } from 'faltung';

async function seconds(model: Model, images: Float32Array): Promise<number> {
  await model.predict(images, { threads: 1 });
  const start = performance.now();
  for (let i = 0; i < 5; i++) await model.predict(images, { threads: 1 });
  return (performance.now() - start) / 5000;
}

console.log('image       m = n     dense: weights  = m x n   convolution: weights   k x n    faster by');
for (const side of [8, 16, 32]) {
  const inputShape = [side, side, 1];
  const m = side * side;
  const same = { name: 'layer', filters: 1, kernelSize: 3, padding: 'same', useBias: false } as const;
  await using sparse = sequential({ inputShape, seed: 4 }, [conv2d(same)]);
  await using full = sequential({ inputShape }, [
    flatten(),
    dense({ name: 'layer', units: m, useBias: false }),
  ]);

  // Row i of the dense weights is what the convolution makes of the image in which only pixel i is 1.
  const unit = Float32Array.from({ length: m * m }, (_, i) => (i % (m + 1) === 0 ? 1 : 0));
  full.setWeights({ 'layer/weight': (await sparse.predict(unit)).data });

  const images = Float32Array.from({ length: 32 * m }, (_, i) => ((i * 37) % 101) / 101);
  const [a, b] = [await sparse.predict(images), await full.predict(images)];
  const apart = a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0);
  if (apart > 1e-5) throw new Error(`the two layers differ by ${apart}`);

  const ratio = (await seconds(full, images)) / (await seconds(sparse, images));
  const cells = [
    `${side} x ${side}`.padEnd(9),
    String(m).padStart(6),
    String(full.parameterCount).padStart(18),
  ];
  const counts = [(m * m).toLocaleString('en').padStart(10), String(sparse.parameterCount).padStart(20)];
  console.log(
    [
      ...cells,
      ...counts,
      (9 * m).toLocaleString('en').padStart(10),
      `${ratio.toFixed(1)} x`.padStart(10),
    ].join(' '),
  );
}
console.log(
  '\nBoth give the same numbers. The convolution also shares its 9 weights among all places: k x n is its work.',
);

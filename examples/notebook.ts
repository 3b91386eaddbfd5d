/**
 * The notebook of the paper's appendix, section by section, cell by cell: CIFAR-10 from the data to the saved model.
 *
 *     npx node examples/notebook.ts [--epochs 20] [--limit N] [--data DIR] [--follow code|text] [--seed 1]
 *                                   [--out runs/notebook]
 *
 * Text and code of the notebook differ in three places; `--follow` says whom to believe (default: the code, which
 * made the notebook's figures). Pictures are written as SVG into `--out`. Its second part, VGG16, is in vgg16.ts.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  adam,
  argMax,
  cifar10,
  classificationReport,
  conv2d,
  dense,
  dropout,
  flatten,
  formatClassificationReport,
  labelsOf,
  load,
  maxPooling2d,
  notebookAugmentation,
  sequential,
  toCategorical,
  trainTestSplit,
  weightsSha256,
} from 'faltung';
import { featureMaps, type Grid, gridSvg, renderSvg, sampleGrid, trainingCurves } from 'faltung/report';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    epochs: { type: 'string', default: '20' },
    limit: { type: 'string', default: 'Infinity' },
    follow: { type: 'string', default: 'code' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'runs/notebook' },
  },
});
const asText = values.follow === 'text';
await mkdir(values.out, { recursive: true });

async function show(name: string, picture: Grid | string): Promise<void> {
  const file = path.join(values.out, `${name}.svg`);
  await writeFile(file, typeof picture === 'string' ? picture : gridSvg(picture));
  console.log(`Picture: ${file}`);
}

function heading(text: string): void {
  console.log(`\n== ${text}\n`);
}

heading('Load the data [Datensatz laden]');
// Keras' cifar10.load_data(). The images stay in the files' order, and bytes: the engine normalises them when it
// reads a batch.
const data = await cifar10.load({
  data: values.data,
  limit: Number(values.limit),
  validationSplit: 0,
  shuffle: false,
  normalization: 'notebook',
});
console.log(data.message ?? `CIFAR-10 from ${data.location ?? 'nowhere: drawn images'}`);

heading('A look at the data [Analyse]');
const labels = await labelsOf(data.train);
const testLabels = await labelsOf(data.test);
console.log('Training data shape :', [data.train.size, ...data.train.inputShape], [labels.length]);
console.log('Testing data shape :', [data.test.size, ...data.test.inputShape], [testLabels.length]);
const classes = new Set(labels).size;
console.log('number of classes :', classes);
await show('first-30-images', await sampleGrid(data.train, { title: 'The first 30 images' }));
// The notebook opens with a picture of the ten classes; here it is drawn from the data.
const rows = data.classNames.map((_, label) => {
  const of = Array.from(labels.keys()).filter((index) => labels[index] === label);
  return of.slice(0, 10);
});
await show(
  'classes',
  await sampleGrid(data.train, { title: 'Ten images of each class', indices: rows.flat() }),
);

heading('Normalise [Vorverarbeitung]');
// tf.keras.utils.normalize(x, axis=1) divides each column of an image, channel by channel, by its length (L2). That
// is less common than a mean of 0 and a deviation of 1, and it is not what makes pixels comparable between images.
console.log('normalization:', data.normalization);

const oneHot = toCategorical(labels, data.classNames.length);
console.log('Original label:', labels[0]);
console.log('One hot encoded label:', `[${oneHot.data.subarray(0, oneHot.shape[1]).join(' ')}]`);
// That is what the loss compares with; a data set may keep the indices, which train to the same weights.

heading('Split');
// The text sets 20% aside, the code 10%. (The text also says that this reduces overfitting: it shows overfitting.)
const { train, test: validation } = trainTestSplit(data.train, { testSize: asText ? 0.2 : 0.1, seed: 21 });
console.log('training', [train.size, ...train.inputShape], 'validation', [
  validation.size,
  ...validation.inputShape,
]);

heading('Augment');
// As the notebook's ImageDataGenerator. Its datagen.fit(x_train) computes means that only other options would use.
const augmentation = notebookAugmentation;
console.log(augmentation);

heading('Build [Modellierung]');
// The text says LeakyReLU, which the notebook imports; the code says 'relu'. The text also has a pooling layer after
// each convolution; there is one after every second.
const activation = asText ? 'leakyRelu' : 'relu';
const convolution = { kernelSize: [3, 3], padding: 'same', activation } as const;
// Keras draws other weights every time. With pixels as small as those above, many a draw stays at a loss of 2.303 (every
// class equally likely) for epochs: of the seeds 1, 2, 3 and 21 the first alone begins to learn at once. Standardised
// pixels (`normalization: 'standardize'`) spare one the trouble.
const model = sequential({ inputShape: [32, 32, 3], seed: Number(values.seed) }, [
  conv2d({ filters: 32, ...convolution }),
  conv2d({ filters: 32, ...convolution }),
  maxPooling2d({ poolSize: [2, 2] }),
  conv2d({ filters: 64, ...convolution }),
  conv2d({ filters: 64, ...convolution }),
  maxPooling2d({ poolSize: [2, 2] }),
  conv2d({ filters: 128, ...convolution }),
  conv2d({ filters: 128, ...convolution }),
  maxPooling2d({ poolSize: [2, 2] }),
  flatten(),
  dropout({ rate: 0.5 }),
  dense({ units: 128, activation }),
  dense({ units: 64, activation }),
  dense({ units: 10, activation: 'softmax' }),
]);
console.log(model.summary());

heading('Compile');
// There is nothing to compile: what Keras' compile() takes are options of fit. Accuracy is measured anyway.
const compiled = { optimizer: adam(), loss: 'categoricalCrossentropy' } as const;
console.log('Adam, learning rate', compiled.optimizer.learningRate, '-', compiled.loss);

heading('Train [Training]');
const epochs = Number(values.epochs);
const history = await model.fit(train, {
  ...compiled,
  epochs,
  validation,
  augmentation,
  onEpoch({ epoch, seconds, loss, accuracy, valLoss, valAccuracy }) {
    const figures = { loss, acc: accuracy, val_loss: valLoss, val_acc: valAccuracy };
    const text = Object.entries(figures).map(([name, value]) => `${name}: ${value?.toFixed(4)}`);
    console.log(`Epoch ${epoch}/${epochs} - ${Math.round(seconds)}s - ${text.join(' - ')}`);
  },
});
await show('training-curves', await renderSvg(trainingCurves(history.epochs)));

heading('Evaluate [Evaluierung]');
const testEval = await model.evaluate(data.test);
console.log('Test loss:', testEval.loss);
console.log('Test accuracy:', testEval.accuracy);

heading('Precision and recall');
const prediction = await model.predict(data.test);
// The notebook takes np.argmax(np.round(probabilities)). A probability of at most a half is rounded to 0, so an image
// without a larger one has ten zeros, and the first of ten equal numbers is the airplane's: every unsure image counts
// as an airplane, whose precision falls to 0.31.
const rounded = { ...prediction, data: prediction.data.map((p) => (p > 0.5 ? 1 : 0)) };
const unsure = Array.from({ length: data.test.size }, (_, i) =>
  rounded.data.subarray(10 * i, 10 * i + 10),
).filter((row) => !row.includes(1)).length;
for (const [how, answers] of [
  ['As the notebook does it, rounded before the argmax', argMax(rounded)],
  ['The argmax of the probabilities themselves', argMax(prediction)],
] as const) {
  const report = classificationReport(testLabels, answers, { classNames: data.classNames });
  console.log(`${how}: accuracy ${report.accuracy.toFixed(4)}\n`);
  console.log(`${formatClassificationReport(report)}\n`);
}
const share = ((100 * unsure) / data.test.size).toFixed(0);
console.log(
  `${unsure} of ${data.test.size} images (${share}%) got no class more than 50%: rounded, they are airplanes.`,
);

heading('Save');
const file = path.join(values.out, 'cifar10_cnn.safetensors');
await model.save(file);
await using again = await load(file);
console.log(
  `${file}: ${weightsSha256(again) === weightsSha256(model) ? 'the same' : 'OTHER'} weights when read again`,
);

heading('Feature maps [Visualisierung der Feature maps]');
// The notebook draws those of VGG16 (vgg16.ts does); these are the trained network's, of the first test image.
const layers = ['conv2d', 'conv2d_2', 'conv2d_4'];
const image = trainTestSplit(data.test, { testSize: data.test.size - 1, shuffle: false }).train;
for (const maps of await featureMaps(model, image, layers)) await show(`feature-maps-${maps.title}`, maps);

await model.close();

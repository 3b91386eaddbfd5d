/**
 * The second part of the paper's notebook: VGG16, its summary, pictures classified by it, and its feature maps.
 *
 *     npx node examples/vgg16.ts [--weights FILE] [--preprocess keras|torch] [--classes FILE] [--size 224]
 *                                [--out runs/vgg16] [IMAGE...]
 *
 * `--weights`: a model's file with VGG16's layers, such as `npm run from:torch -- vgg16 STATE` makes of torchvision's
 * (with `--preprocess torch`); without it the weights are random, so the shapes and pictures are those of the notebook,
 * the answers are not. `--classes`: the classes' names, a line each. IMAGE: JPEG, PNG or WebP; without one the program
 * draws a picture. Sizes other than 224 are for a quick look: fc1 then has other weights.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { decodeImage, load, type Model, sequential, vgg16 } from 'faltung';
import { encodePng, featureMaps, gridSvg } from 'faltung/report';
import { drawScene } from './drawing.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    weights: { type: 'string' },
    preprocess: { type: 'string', default: 'keras' },
    classes: { type: 'string' },
    size: { type: 'string', default: '224' },
    out: { type: 'string', default: 'runs/vgg16' },
  },
});
const size = Number(values.size);
const classNames = values.classes === undefined ? [] : (await readFile(values.classes, 'utf8')).split('\n');
await mkdir(values.out, { recursive: true });

/** Keras' `load_img(path, target_size)`: RGB, resized to the nearest pixel without regard to its proportions. */
async function loadImage(file: string): Promise<Uint8Array> {
  const { width, height, data } = await decodeImage(file);
  const pixels = new Uint8Array(3 * size * size);
  for (let i = 0; i < size * size; i++) {
    const y = Math.floor(((Math.floor(i / size) + 0.5) * height) / size);
    const x = Math.floor((((i % size) + 0.5) * width) / size);
    const at = 3 * (y * width + x);
    pixels.set(data.subarray(at, at + 3), 3 * i);
  }
  return pixels;
}

/**
 * Keras' `preprocess_input` for VGG16: blue, green, red, each without its mean over ImageNet. Torchvision's weights want
 * red, green, blue, standardised.
 */
function preprocess(pixels: Uint8Array): Float32Array {
  if (values.preprocess === 'torch') {
    const [means, deviations] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ];
    return Float32Array.from(pixels, (value, i) => (value / 255 - means[i % 3]!) / deviations[i % 3]!);
  }
  const means = [103.939, 116.779, 123.68];
  return Float32Array.from(pixels, (_, i) => pixels[i - (i % 3) + 2 - (i % 3)]! - means[i % 3]!);
}

/** The notebook's vgg_predict: the surest class of a picture, and how sure. */
async function vggPredict(model: Model, image: Float32Array): Promise<string> {
  const { data } = await model.predict(image);
  const best = data.indexOf(data.reduce((a, b) => Math.max(a, b)));
  return `${classNames[best] ?? `class ${best}`} (${(100 * data[best]!).toFixed(2)}%)`;
}

console.log(sequential({ inputShape: [224, 224, 3] }, vgg16()).summary({ batchSize: 1 }));
console.log('Its picture: npm run graph -- vgg16, or docs/networks/vgg16.svg\n');

await using model =
  values.weights === undefined
    ? sequential({ inputShape: [size, size, 3], seed: 1 }, vgg16())
    : await load(values.weights);
if (values.weights === undefined)
  console.log('Without --weights: the weights are random, and so are the answers.\n');

const pictures: [name: string, pixels: Uint8Array][] = [];
for (const file of positionals) pictures.push([path.basename(file), await loadImage(file)]);
if (pictures.length === 0) {
  const drawn = drawScene(size);
  await writeFile(path.join(values.out, 'drawn.png'), encodePng({ width: size, height: size, data: drawn }));
  pictures.push(['drawn.png', drawn]);
}
for (const [name, pixels] of pictures) console.log(`${name}: ${await vggPredict(model, preprocess(pixels))}`);

// The first convolution of each block, 24 maps of each, as the notebook draws them. Its division by a deviation of 0
// ("invalid value encountered in true_divide") is a dead map here, and crossed out.
const layers = [1, 2, 3, 4, 5].map((block) => `block${block}_conv1`);
for (const maps of await featureMaps(model, preprocess(pictures[0]![1]), layers)) {
  const file = path.join(values.out, `${maps.title}.svg`);
  await writeFile(file, gridSvg(maps));
  console.log(`Picture: ${file} (${maps.subtitle})`);
}

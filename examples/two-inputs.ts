/**
 * Two inputs and two outputs, each output with a loss and a target of its own.
 *
 *     npx node examples/two-inputs.ts [EPOCHS]
 *
 * A picture shows a red figure and a green one; a second input says which of the two is asked for. The model answers
 * what it is (square, cross or bar: cross-entropy) and where its middle is (two numbers: mean squared error).
 */
import {
  conv2d,
  dense,
  flatten,
  functional,
  globalMaxPooling2d,
  input,
  maxPooling2d,
  multiply,
  type NamedDataset,
  reshape,
  subset,
} from 'faltung';

const SIDE = 16;
const KINDS = ['square', 'cross', 'bar'] as const;
const COLOURS = ['red', 'green'] as const;

/** Pixels of each figure about its middle. */
const DRAWN = [
  (y: number, x: number) => Math.max(Math.abs(y), Math.abs(x)) === 2,
  (y: number, x: number) => Math.abs(y) === Math.abs(x),
  (y: number) => Math.abs(y) <= 1,
] as const;

/** A whole number below `below`, from a place in the list of samples. */
function pick(sample: number, what: number, below: number): number {
  let hash = Math.imul(sample * 8 + what + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 8) % below;
}

/** Figures that are drawn when they are asked for. */
const figures: NamedDataset = {
  size: 1500,
  inputs: {
    picture: { shape: [SIDE, SIDE, 3], type: 'uint8', normalization: { kind: 'scale' } },
    asked: { shape: [2], type: 'float32' },
  },
  targets: {
    kind: { kind: 'index', classes: KINDS.length },
    place: { kind: 'dense', shape: [2] },
  },
  read(indices, { inputs, targets }) {
    const [picture, asked, kind, place] = [inputs.picture!, inputs.asked!, targets.kind!, targets.place!];
    picture.fill(0);
    asked.fill(0);
    indices.forEach((sample, i) => {
      const wanted = pick(sample, 0, 2);
      asked[2 * i + wanted] = 1;
      for (const colour of [0, 1]) {
        const figure = pick(sample, 1 + colour, KINDS.length);
        const [middleY, middleX] = [3, 5].map((what) => 2 + pick(sample, what + colour, SIDE - 4));
        for (let y = -2; y <= 2; y++) {
          for (let x = -2; x <= 2; x++) {
            if (!DRAWN[figure]!(y, x)) continue;
            picture[((i * SIDE + middleY! + y) * SIDE + middleX! + x) * 3 + colour] = 255;
          }
        }
        if (colour !== wanted) continue;
        kind[i] = figure;
        place.set([middleY! / SIDE, middleX! / SIDE], 2 * i);
      }
    });
  },
};

const picture = input({ shape: [SIDE, SIDE, 3] });
const asked = input({ shape: [2] });
const same = { kernelSize: 3, padding: 'same', activation: 'relu' } as const;
const seen = conv2d({ ...same, filters: 16 })(picture);
// What is asked for opens and closes channels, all pixels of each.
const gates = reshape({ targetShape: [1, 1, 16] })(dense({ units: 16, activation: 'sigmoid' })(asked));
const found = conv2d({ ...same, filters: 24 })(multiply()([seen, gates]));
const kind = dense({ units: KINDS.length, activation: 'softmax', name: 'what' })(globalMaxPooling2d()(found));
const place = dense({ units: 2, name: 'where' })(flatten()(maxPooling2d({ poolSize: 2 })(found)));
const model = functional({ inputs: { picture, asked }, outputs: { kind, place }, seed: 7 });
console.log(`${model.summary()}\n`);

const indices = Array.from({ length: figures.size }, (_, i) => i);
const [train, test] = [subset(figures, indices.slice(0, 1300)), subset(figures, indices.slice(1300))];
const loss = { kind: 'categoricalCrossentropy', place: 'meanSquaredError' } as const;
const lossWeights = { place: 10 };
await model.fit(train, {
  loss,
  lossWeights,
  epochs: Number(process.argv[2] ?? 15),
  validation: test,
  onEpoch({ epoch, valOutputs }) {
    const { kind: what, place: where } = valOutputs!;
    const right = `${(100 * what!.accuracy!).toFixed(0)}% right`;
    const off = `${(SIDE * where!.meanAbsoluteError!).toFixed(2)} pixels off`;
    console.log(
      `epoch ${epoch}: kind ${what!.loss.toFixed(4)}, ${right}; place ${where!.loss.toFixed(4)}, ${off}`,
    );
  },
});

// One picture, asked twice.
const pixels = { picture: new Uint8Array(SIDE * SIDE * 3), asked: new Float32Array(2) };
const answer = { kind: new Int32Array(1), place: new Float32Array(2) };
await test.read(Uint32Array.of(0), { inputs: pixels, targets: answer });
const image = Float32Array.from(pixels.picture, (byte) => byte / 255);
for (const [colour, name] of COLOURS.entries()) {
  const question = Float32Array.from(COLOURS, (_, i) => Number(i === colour));
  const answers = await model.predictAll({ picture: image, asked: question });
  const best = answers.kind!.data.indexOf(Math.max(...answers.kind!.data));
  const [y, x] = Array.from(answers.place!.data, (share) => (SIDE * share).toFixed(1));
  console.log(`the ${name} one: ${KINDS[best]} at row ${y}, column ${x}`);
}
await model.close();

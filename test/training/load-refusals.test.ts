/** What `load` refuses: each file differs from a good one in one thing. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { dense, FormatError, load, sequential } from '../../src/index.ts';
import { allWeights, smallModel } from '../helpers/conformance-data.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const folder = temporaryFolder();
const place = (name: string) => path.join(folder, `${name}.safetensors`);

// biome-ignore lint/suspicious/noExplicitAny: JSON that is to be broken.
type Loose = any;

describe('what is not a model of this version is refused', () => {
  /** The file with a changed header, and without its checksum. */
  function changed(
    file: Buffer,
    change: (metadata: Record<string, string>, header: Record<string, unknown>) => void,
  ) {
    const length = Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.subarray(8, 8 + length).toString());
    delete header.__metadata__.sha256;
    change(header.__metadata__, header);
    const json = Buffer.from(JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([prefix, json, file.subarray(8 + length)]);
  }

  const architecture = (change: (data: Loose) => void) => (metadata: Record<string, string>) => {
    const data = JSON.parse(metadata.architecture!);
    change(data);
    metadata.architecture = JSON.stringify(data);
  };

  const CHANGES: Record<
    string,
    [(metadata: Record<string, string>, header: Record<string, Loose>) => void, RegExp]
  > = {
    'another format': [
      (m) => {
        m.format = 'pt';
      },
      /format: expected faltung-model or faltung-checkpoint, got "pt"/,
    ],
    'no format': [
      (m) => {
        delete m.format;
      },
      /format: .*got none \(a file that model\.save\(\) wrote\)/,
    ],
    'a newer version': [
      (m) => {
        m.version = '4';
      },
      /version: expected at most 3, got "4" \(update Faltung/,
    ],
    'a version that is none': [
      (m) => {
        m.version = '01';
      },
      /version: expected a whole number/,
    ],
    'unknown numerics': [
      (m) => {
        m.numerics = 'quick';
      },
      /numerics: expected fast or accurate or direct/,
    ],
    'unknown metadata': [
      (m) => {
        m.sha257 = '';
      },
      /__metadata__: expected sha256, format.*got "sha257"/,
    ],
    'no architecture': [
      (m) => {
        delete m.architecture;
      },
      /got none called architecture/,
    ],
    'an architecture that is no JSON': [
      (m) => {
        m.architecture += '}';
      },
      /architecture, byte \d+: expected the end/,
    ],
    'data that are no JSON': [
      (m) => {
        m.data = '{';
      },
      /data, byte \d+: expected/,
    ],
    'data of prototypes': [
      (m) => {
        m.data = '{"__proto__":{"classNames":[]}}';
      },
      /__proto__/,
    ],
    'data that say more': [
      (m) => {
        m.data = '{"secret":1}';
      },
      /data, trainedOn, value: expected members classNames, normalization, normalizations, resize, got "secret"/,
    ],
    'too few names of classes': [
      (m) => {
        m.data = '{"classNames":["a"]}';
      },
      /data, trainedOn, classNames: expected a name for each of 4 outputs, got 1/,
    ],
    'a normalisation that divides by zero': [
      (m) => {
        m.data = '{"normalization":{"kind":"standardize","mean":[0,0,0],"std":[1,0,1]}}';
      },
      /normalization: expected finite means and positive, finite standard deviations/,
    ],
    'a normalisation with more to it': [
      (m) => {
        m.data = '{"normalization":{"kind":"scale","mean":[0]}}';
      },
      /trainedOn, normalization: expected a normalisation/,
    ],
    'a normalisation of texts': [
      (m) => {
        m.data = '{"normalization":{"kind":"standardize","mean":["0",0,0],"std":[1,1,1]}}';
      },
      /normalization: expected finite means/,
    ],
    'an unknown kind': [
      architecture((d) => {
        d.kind = 'magic';
      }),
      /architecture\.kind: expected 'sequential' or/,
    ],
    'a kind of prototypes': [
      architecture((d) => {
        d.kind = 'constructor';
      }),
      /architecture\.kind/,
    ],
    'a negative seed': [
      architecture((d) => {
        d.seed = -1;
      }),
      /architecture\.seed/,
    ],
    'an unknown member': [
      architecture((d) => {
        d.evil = 1;
      }),
      /architecture: expected members .*got "evil"/,
    ],
    'no layers': [
      architecture((d) => {
        d.layers = [];
      }),
      /architecture\.layers: expected a list of at least one/,
    ],
    'a layer of prototypes': [
      architecture((d) => {
        d.layers[0].type = '__proto__';
      }),
      /layers\[0\]\.type/,
    ],
    'an unknown option': [
      architecture((d) => {
        d.layers[0].config.x = 1;
      }),
      /layers\[0\]\.config: expected a configuration of conv2d/,
    ],
    'a senseless option': [
      architecture((d) => {
        d.layers[0].config.filters = -1;
      }),
      /layers\[0\], conv2d "conv2d", filters: expected a positive integer, got -1/,
    ],
    'an option of another type': [
      architecture((d) => {
        d.layers[0].config.useBias = 'yes';
      }),
      /useBias: expected true or false/,
    ],
    'a name with a way out': [
      architecture((d) => {
        d.layers[0].name = 'a b';
      }),
      /layers\[0\]\.name: expected a name of letters/,
    ],
    'a name twice': [
      architecture((d) => {
        d.layers[1].name = 'conv2d';
      }),
      /layers\[1\]\.name: expected a name that no other/,
    ],
    'a shape that does not fit': [
      architecture((d) => {
        d.inputShape = [1];
      }),
      /architecture, conv2d "conv2d"/,
    ],
    'an image too large to count': [
      architecture((d) => {
        d.inputShape = [2 ** 30, 2 ** 30, 3];
      }),
      /architecture/,
    ],
    'another architecture than its tensors': [
      architecture((d) => {
        d.layers.at(-1).config.units = 5;
      }),
      /tensor "dense_1\/weight": expected F32 \[7, 5\], got "F32 \[7, 4\]"/,
    ],
    'more units than memory': [
      architecture((d) => {
        d.layers.at(-1).config.units = 1e9;
      }),
      /architecture|tensor/,
    ],
    'a tensor too few': [
      (_m, h) => {
        h['dense_2/weight'] = h['dense_1/weight'];
        delete h['dense_1/weight'];
      },
      /tensors: expected those of the architecture alone, got "dense_2\/weight"/,
    ],
    'a tensor of another type': [
      (_m, h) => {
        h['dense_1/bias'].dtype = 'I32';
      },
      /tensor "dense_1\/bias": expected F32 \[4\], got "I32 \[4\]"/,
    ],
  };
  for (const [what, [change, message]] of Object.entries(CHANGES)) {
    test(what, async () => {
      const model = smallModel();
      await model.save(place('base'));
      await model.close();
      writeFileSync(place('changed'), changed(readFileSync(place('base')), change));
      await assert.rejects(load(place('changed')), (error) => {
        assert.ok(error instanceof FormatError, String((error as Error).stack));
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test('a file without a checksum is read: other programs need not know of it', async () => {
    const model = smallModel();
    await model.save(place('base'));
    writeFileSync(
      place('changed'),
      changed(readFileSync(place('base')), () => {}),
    );
    await using again = await load(place('changed'));
    assertSameBits(allWeights(again), allWeights(model));
    await model.close();
  });

  test('every truncation and every flipped bit, in header and data, is noticed', async () => {
    await using model = sequential({ inputShape: [2], seed: 1 }, [dense({ units: 1 })]);
    await model.save(place('tiny'));
    const file = readFileSync(place('tiny'));
    const damaged = async (content: Buffer, what: string) => {
      writeFileSync(place('damaged'), content);
      await assert.rejects(load(place('damaged')), FormatError, what);
    };
    for (let length = 0; length < file.length; length += 7)
      await damaged(file.subarray(0, length), `${length} bytes`);
    await damaged(Buffer.concat([file, Buffer.alloc(1)]), 'a byte more');
    for (let at = 0; at < file.length; at++) {
      const flipped = Buffer.from(file);
      flipped[at]! ^= 1 << (at % 8);
      await damaged(flipped, `bit ${at % 8} of byte ${at}`);
    }
  });
});

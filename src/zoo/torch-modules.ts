/**
 * The names that PyTorch's torchvision has for the layers of this zoo's networks: with them, `weightsFromTorch` takes the
 * parameters of its models over.
 */

/** The module of a layer, by both names. */
type ModuleOf = (layer: string) => string;

/** `features.N` and `classifier.N` of a VGG whose blocks have so many convolutions. */
function vgg(depths: readonly number[]): ModuleOf {
  const classifier: Readonly<Record<string, number>> = { fc1: 0, fc2: 3, predictions: 6 };
  return (layer) => {
    const found = /^block(\d)_conv(\d)$/.exec(layer);
    if (found === null) return `classifier.${classifier[layer]}`;
    const [block, conv] = [Number(found[1]) - 1, Number(found[2]) - 1];
    // A convolution and its ReLU are two modules there, a pooling is one.
    return `features.${depths.slice(0, block).reduce((sum, depth) => sum + 2 * depth + 1, 0) + 2 * conv}`;
  };
}

const resNet: ModuleOf = (layer) => {
  if (layer === 'predictions') return 'fc';
  const stem = /^conv1_(conv|bn)$/.exec(layer);
  if (stem !== null) return `${stem[1]}1`;
  const [, stage, block, number, kind] = /^conv(\d)_block(\d+)_(\d)_(conv|bn)$/.exec(layer) ?? [];
  const place = `layer${Number(stage) - 1}.${Number(block) - 1}`;
  if (number === '0') return `${place}.downsample.${kind === 'conv' ? 0 : 1}`;
  return `${place}.${kind}${number}`;
};

const DENSENET_ENDS: Readonly<Record<string, string>> = {
  conv1_conv: 'features.conv0',
  conv1_bn: 'features.norm0',
  bn: 'features.norm5',
  predictions: 'classifier',
};

const denseNet: ModuleOf = (layer) => {
  const end = DENSENET_ENDS[layer];
  if (end !== undefined) return end;
  const transition = /^pool(\d)_(conv|bn)$/.exec(layer);
  if (transition !== null) {
    return `features.transition${Number(transition[1]) - 1}.${transition[2] === 'bn' ? 'norm' : 'conv'}`;
  }
  const [, stage, block, number, kind] = /^conv(\d)_block(\d+)_(\d)_(conv|bn)$/.exec(layer) ?? [];
  const place = `features.denseblock${Number(stage) - 1}.denselayer${block}`;
  return kind === 'bn' ? `${place}.norm${Number(number) + 1}` : `${place}.conv${number}`;
};

const GOOGLENET_STEM: Readonly<Record<string, string>> = {
  conv1: 'conv1',
  conv2_reduce: 'conv2',
  conv2: 'conv3',
};
const GOOGLENET_BRANCHES: Readonly<Record<string, string>> = {
  '1x1': 'branch1',
  '3x3_reduce': 'branch2.0',
  '3x3': 'branch2.1',
  '5x5_reduce': 'branch3.0',
  '5x5': 'branch3.1',
  pool_projection: 'branch4.1',
};
const GOOGLENET_HEADS: Readonly<Record<string, string>> = { fc: 'fc1', output: 'fc2', conv: 'conv' };

const googLeNetBN: ModuleOf = (layer) => {
  if (layer === 'output') return 'fc';
  const head = /^auxiliary(\d)_(fc|output)$/.exec(layer);
  if (head !== null) return `aux${head[1]}.${GOOGLENET_HEADS[head[2]!]}`;
  const [, name, bn] = /^(.*?)(_bn)?$/.exec(layer)!;
  const part = bn === undefined ? 'conv' : 'bn';
  const [, number] = /^auxiliary(\d)_conv$/.exec(name!) ?? [];
  if (number !== undefined) return `aux${number}.conv.${part}`;
  const stem = GOOGLENET_STEM[name!];
  if (stem !== undefined) return `${stem}.${part}`;
  return `inception${name!.slice(0, 2)}.${GOOGLENET_BRANCHES[name!.slice(3)]}.${part}`;
};

/** By the names of the zoo's functions. */
export const torchModules = {
  vgg16: vgg([2, 2, 3, 3, 3]),
  vgg19: vgg([2, 2, 4, 4, 4]),
  resNet18: resNet,
  resNet34: resNet,
  resNet50: resNet,
  denseNet121: denseNet,
  denseNet169: denseNet,
  denseNet201: denseNet,
  googLeNetBN,
} as const;

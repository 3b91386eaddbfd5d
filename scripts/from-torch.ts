/** `npm run from:torch -- NETWORK STATE [--out FILE]`: a state_dict of PyTorch as a model's file. */
import { parseArgs } from 'node:util';
import { FaltungError } from '../src/errors.ts';
import { readTorchState, torchModules, weightsFromTorch } from '../src/index.ts';
import { networkNamed } from './networks/networks.ts';
import { torchNetworkNamed } from './torch/networks.ts';

const HELP = `npm run from:torch -- NETWORK STATE [--out FILE]

Makes FILE (default: NETWORK.safetensors), which load() reads, of STATE: the state_dict of torchvision's model of that
name with its 1000 classes, as safetensors. In Python, with the package safetensors:

  safetensors.torch.save_file(torchvision.models.resnet50(weights='DEFAULT').state_dict(), 'state.safetensors')

NETWORK: ${Object.keys(torchModules).join(', ')}
`;

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = { out: { type: 'string' }, help: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [given, state, ...rest] = positionals;
    if (values.help || state === undefined || rest.length > 0) {
      (values.help ? process.stdout : process.stderr).write(HELP);
      return values.help ? 0 : 2;
    }
    const name = torchNetworkNamed('from:torch', given);
    const file = values.out ?? `${name}.safetensors`;
    await using model = networkNamed('from:torch', name)({});
    model.setWeights(weightsFromTorch(model.graph, await readTorchState(state), torchModules[name]));
    await model.save(file);
    process.stdout.write(`Written: ${file}\n`);
    return 0;
  } catch (error) {
    const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    if (!isUsage && !(error instanceof FaltungError)) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    return isUsage ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));

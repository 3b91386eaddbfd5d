/** `npm run summary -- NAME`: the table of a network of the zoo. */
import { FaltungError } from '../src/errors.ts';
import { formatCount, summarize } from '../src/model/summary.ts';
import { networkNamed, networks } from './networks/networks.ts';

function main(name: string | undefined): number {
  if (name === '--help') {
    process.stdout.write(`npm run summary -- NAME\n\nNAME: ${Object.keys(networks).join(', ')}\n`);
    return 0;
  }
  try {
    const model = networkNamed('summary', name)({});
    process.stdout.write(`${summarize(model.graph)}\n`);
    process.stdout.write(
      `Layers: ${formatCount(new Set(model.graph.nodes.map(({ owner }) => owner)).size)}\n`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof FaltungError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

process.exitCode = main(process.argv[2]);

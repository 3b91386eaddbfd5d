/**
 * Downloads the official archive of CIFAR-10 and unpacks it. The archive's address and MD5 may be overridden
 * by options or by the variables FALTUNG_CIFAR10_URL and FALTUNG_CIFAR10_MD5 (a mirror, a test's own server).
 */
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { CIFAR10_ARCHIVE, CIFAR10_FOLDER } from './cifar10-location.ts';
import { ARCHIVE_LIMITS } from './cifar10-read.ts';
import { type DownloadProgress, downloadFile } from './download.ts';
import { unpackTarGz } from './untar.ts';

/** https://www.cs.toronto.edu/~kriz/cifar.html, "CIFAR-10 binary version", 162 MB. */
const OFFICIAL_URL = 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz';
const OFFICIAL_MD5 = 'c32a1d4ab5d03f1284b67883e8d87530';

/** What loading is at. */
export type LoadProgress =
  | ({ readonly stage: 'download'; readonly what: string } & DownloadProgress)
  | { readonly stage: 'unpack' | 'read' | 'draw'; readonly what: string };

/** Options of `fetchCifar10`. */
export interface FetchOptions {
  readonly url?: string | undefined;
  readonly md5?: string | undefined;
  readonly offlineTimeoutMs?: number | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** The unpacked folder, or why there is none. */
export type FetchResult =
  | { readonly kind: 'done'; readonly directory: string }
  | { readonly kind: 'unavailable'; readonly url: string; readonly reason: string };

/**
 * Makes `directory` with the files of the archive; the archive beside it is removed once it is unpacked.
 * Throws as `downloadFile` and `unpackTarGz` do.
 */
export async function fetchCifar10(options: FetchOptions, directory: string): Promise<FetchResult> {
  const url = options.url ?? (process.env.FALTUNG_CIFAR10_URL || OFFICIAL_URL);
  const md5 = options.md5 ?? (process.env.FALTUNG_CIFAR10_MD5 || OFFICIAL_MD5);
  const archive = path.join(path.dirname(directory), CIFAR10_ARCHIVE);
  const { offlineTimeoutMs, onProgress } = options;
  try {
    const result = await downloadFile({
      url,
      md5,
      file: archive,
      offlineTimeoutMs,
      onProgress: (progress) => onProgress?.({ stage: 'download', what: url, ...progress }),
    });
    if (result.kind === 'unavailable') return { kind: 'unavailable', url, reason: result.reason };
    onProgress?.({ stage: 'unpack', what: archive });
    await unpackTarGz(archive, directory, { topFolder: CIFAR10_FOLDER, ...ARCHIVE_LIMITS });
  } catch (error) {
    // Another process may have finished meanwhile and removed what this one was working on.
    if (!(await stat(directory).catch(() => undefined))?.isDirectory()) throw error;
  }
  await rm(archive, { force: true });
  return { kind: 'done', directory };
}

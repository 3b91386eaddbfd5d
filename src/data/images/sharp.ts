/** The package sharp, which is optional: loaded when it is first needed. */
import { ConfigError } from '../../errors.ts';

type Sharp = typeof import('sharp').default;

let sharpModule: Promise<Sharp> | undefined;

/** Throws ConfigError that says how to get it. */
export async function loadSharp(): Promise<Sharp> {
  try {
    sharpModule ??= import('sharp').then(({ default: sharp }) => sharp);
    return await sharpModule;
  } catch (cause) {
    sharpModule = undefined;
    const received = cause instanceof Error ? (cause.message.split('\n')[0] ?? cause.name) : String(cause);
    const hint = 'npm install sharp';
    throw new ConfigError(
      { operation: 'images', argument: 'packages', expected: 'sharp to be installed', received, hint },
      { cause },
    );
  }
}

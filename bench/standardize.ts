/** The same standardisation of bytes for all systems: (byte / 255 - mean) / std. */
export const STANDARD = { mean: 0.473, std: 0.25 } as const;

/** The standardised floats of bytes. */
export function standardize(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (byte) => (byte / 255 - STANDARD.mean) / STANDARD.std);
}

/** The fingerprint of a model's weights: equal hashes mean equal bits. */
import { createHash } from 'node:crypto';

/** What has weights to read. */
interface HasWeights {
  getWeights(): Readonly<Record<string, { readonly data: Float32Array }>>;
}

/** SHA-256 in hexadecimal over all parameters in order, each as little-endian f32. */
export function weightsSha256(model: HasWeights): string {
  const hash = createHash('sha256');
  for (const { data } of Object.values(model.getWeights())) {
    const bytes = new DataView(new ArrayBuffer(data.length * 4));
    data.forEach((value, i) => {
      bytes.setFloat32(4 * i, value, true);
    });
    hash.update(new Uint8Array(bytes.buffer));
  }
  return hash.digest('hex');
}

/** Safetensors files as bytes, well-formed or not. */

/** [length | header | data]; `length` may lie. */
export function fileOf(header: string | Uint8Array, dataBytes = 0, length?: number | bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** A header with one tensor of f32. */
export function oneTensor(
  shape: readonly number[] | string,
  begin: number | string,
  end: number | string,
): string {
  const text = typeof shape === 'string' ? shape : JSON.stringify(shape);
  return `{"w":{"dtype":"F32","shape":${text},"data_offsets":[${begin},${end}]}}`;
}

/** Norms of gradients by layer. */

/** The L2 norm over all parameters of each layer, from their sums of squares; layers in the model's order. */
export function normsByLayer(squares: ReadonlyMap<string, number>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, sum] of squares) {
    const layer = name.slice(0, name.lastIndexOf('/'));
    sums[layer] = (sums[layer] ?? 0) + sum;
  }
  return Object.fromEntries(Object.entries(sums).map(([layer, sum]) => [layer, Math.sqrt(sum)]));
}

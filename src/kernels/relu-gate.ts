/**
 * The gradient of a ReLU on its way through another kernel: the kernel that makes the gradient of the ReLU's output
 * stores that of its input instead. Saves a pass that reads and writes the gradient once more; the bits are those of
 * activation-backward.ts.
 */

/** The gradient where the ReLU's output is above 0, else +0. */
export function passGate(reluOutput: number, gradient: number): number {
  return reluOutput > 0 ? gradient : 0;
}

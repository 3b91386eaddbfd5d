/** How much memory this process may take, as far as the operating system tells. */
import { freemem, totalmem } from 'node:os';

/**
 * Bytes that the system has available for this process, the limits of a container included. Where only Linux says what
 * it could free if it had to, it is asked; elsewhere "free" leaves out caches, and all of the memory is the answer.
 */
export function availableBytes(): number {
  if (process.platform !== 'linux') return totalmem();
  const available = process.availableMemory?.() ?? freemem();
  const confined = process.constrainedMemory?.() ?? 0;
  return confined > 0 ? Math.min(available, confined) : available;
}

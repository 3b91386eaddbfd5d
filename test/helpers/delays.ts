/** Adversarial timing: seeded pauses that make threads overtake each other. */
import { type Random, randomFrom } from './twin.ts';

const asleep = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps the thread without using the processor. */
export function sleepFor(milliseconds: number): void {
  Atomics.wait(asleep, 0, 0, milliseconds);
}

/** Keeps the thread and a processor busy. */
function spinFor(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/**
 * A function that, each time, does nothing, spins for up to 0.3 ms or sleeps for up to 3 ms. `share`: how often it does
 * anything, of 1.
 */
export function pauses(seed: number, share = 1): () => void {
  const random: Random = randomFrom(seed);
  return () => {
    const choice = random() / share;
    if (choice < 0.1) sleepFor(3 * random());
    else if (choice < 0.3) spinFor(0.3 * random());
  };
}

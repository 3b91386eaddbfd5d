/**
 * A process of its own that saves without end, for tests that kill it: checkpoints in a folder and a model's file beside
 * them; each step that is on the disk is acknowledged by a line with its number.
 *
 *     node saver.ts FOLDER FIRST_STEP ELEMENTS
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { openCheckpointFolder, writeCheckpoint } from '../../src/io/checkpoint-folder.ts';
import { replaceSafetensors } from '../../src/io/safetensors-file.ts';
import { metadataOf, tensorsOf } from './saved-steps.ts';

const [folder, first, elements] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
await openCheckpointFolder('save', folder);
// A process that is killed would not leave it to the next one, which starts twice as fast with it.
flushCompileCache();
writeSync(1, 'ready\n');
for (let step = first; ; step++) {
  const tensors = tensorsOf(step, elements);
  await writeCheckpoint('save', folder, step, metadataOf(step), tensors);
  await replaceSafetensors('save', path.join(folder, 'model.safetensors'), metadataOf(step), tensors);
  writeSync(1, `${step}\n`);
}

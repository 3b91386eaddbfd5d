/** The Piscina entry point: runs this worker's part of a step. Knows programs, nothing of layers. */
import { bindProgram } from '../src/parallel/bind.ts';
import { createStep } from '../src/parallel/work.ts';

export default createStep(bindProgram);

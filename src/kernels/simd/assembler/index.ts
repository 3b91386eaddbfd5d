/** The assembler: builds WebAssembly functions and modules, with operand types checked while emitting. */
export { FunctionBuilder, type Label, type Local } from './function.ts';
export type { ValueType } from './instructions.ts';
export { assembleModule, MAX_PAGES } from './module.ts';

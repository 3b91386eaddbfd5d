/**
 * Faltung's page for the browser: `import ... from 'faltung/ui'`. It needs the package uplot, whose files it serves.
 */
export type { RunPoint, RunStatus, RunView, UiPicture, UiPictures } from './run-view.ts';
export { type ShownRun, type ShowRunOptions, showRun } from './show-run.ts';
export { type TrainingUi, type TrainingUiOptions, trainingUi } from './training-ui.ts';

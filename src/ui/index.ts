/**
 * Faltung's page for the browser: `import ... from 'faltung/ui'`. It needs the package uplot, which is loaded when the
 * page is first served.
 */
export type { RunPoint, RunStatus, RunView, UiPicture, UiPictures } from './run-view.ts';
export { type TrainingUi, type TrainingUiOptions, trainingUi } from './training-ui.ts';

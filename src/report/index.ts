/**
 * Faltung's pictures and reports: `import ... from 'faltung/report'`. Charts need the packages vega and vega-lite, PNG
 * files of SVG the package sharp; each is loaded when it is first needed.
 */
export { classBars, confusionChart } from './charts/classes.ts';
export {
  accuracyCurve,
  type CurveOptions,
  learningRateChart,
  lossCurve,
  trainingCurves,
} from './charts/curves.ts';
export { type GradientNorm, gradientNormChart } from './charts/gradients.ts';
export { reliabilityDiagram } from './charts/reliability.ts';
export {
  type FeatureMap,
  type FeatureMapOptions,
  featureMapGrid,
  normalizeFeatureMap,
} from './feature-maps.ts';
export { type FilterOptions, filterGrid } from './filters.ts';
export { type ClassMap, type GradCamOptions, gradCam, overlay } from './grad-cam.ts';
export { type GradientNorms, type GradientNormsOptions, gradientNorms } from './gradient-norms.ts';
export { type Grid, type GridCell, type GridOptions, gridHtml, gridSvg } from './grid.ts';
export { COLOURS, type Spec, type Surface } from './look.ts';
export { featureMaps, filtersOf, type ModelPicturesOptions, modelPictures } from './model-pictures.ts';
export { encodePng } from './png.ts';
export { imageRaster, mapRaster, type Raster, VIRIDIS } from './raster.ts';
export { type PngOptions, type RenderOptions, renderSvg, svgToPng } from './render.ts';
export { mistakeGrid, predictionGrid, readSamples, sampleGrid } from './samples.ts';
export { type TrainingGradientNorms, trainingGradientNorms } from './training-gradient-norms.ts';
export { type PictureSection, type TrainingReport, trainingReportHtml } from './training-report.ts';

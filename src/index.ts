/** Faltung: convolutional networks in Node.js. Everything a user needs is exported here. */
export { arrayDataset, subset } from './data/array-dataset.ts';
export { type Augmentation, cropAugmentation, notebookAugmentation } from './data/augmentation.ts';
export { type Cifar10, type Cifar10Options, cifar10 } from './data/cifar10.ts';
export type {
  BatchBuffer,
  Dataset,
  InputDescription,
  Normalization,
  Resize,
  Targets,
} from './data/dataset.ts';
export { type DecodeOptions, decodeImage } from './data/images/decode.ts';
export { type ImageFilesOptions, imageFiles } from './data/images/image-files.ts';
export { type ImageFolder, type ImageFolderOptions, imageFolder } from './data/images/image-folder.ts';
export {
  type LabelledImages,
  type LabelledImagesOptions,
  labelledImages,
} from './data/images/labelled-images.ts';
export type { ReadingOptions, Skipped } from './data/images/read-all.ts';
export type { Pixels } from './data/images/resize.ts';
export {
  type NamedDatasetOptions,
  type NamedInput,
  type NamedTarget,
  namedDataset,
} from './data/named-arrays.ts';
export type { NamedBatchBuffer, NamedDataset } from './data/named-dataset.ts';
export { type SyntheticOptions, syntheticImages } from './data/synthetic.ts';
export { toCategorical } from './data/to-categorical.ts';
export { type TrainTestSplitOptions, trainTestSplit } from './data/train-test-split.ts';
export {
  ConfigError,
  DataError,
  type ErrorDetails,
  FaltungError,
  FileError,
  FormatError,
  KernelError,
  MemoryError,
  NonFiniteLossError,
  type NonFinitePlace,
  ShapeError,
  StateError,
  WorkerLostError,
} from './errors.ts';
export type { DefinedLayer } from './io/architecture-layers.ts';
export type { FileSystem, OpenFile } from './io/file-system.ts';
export type { Json } from './io/json-value.ts';
export { readTorchState, type TorchTensor, weightsFromTorch } from './io/torch-state.ts';
export { weightsSha256 } from './io/weights-hash.ts';
export type { ActivationOption, ActivationOptions } from './layers/activation.ts';
export type { AdaptivePoolOptions } from './layers/adaptive-average-pooling2d.ts';
export type { AveragePool1dOptions } from './layers/average-pooling1d.ts';
export type { AveragePoolOptions } from './layers/average-pooling2d.ts';
export type { BatchNormalizationOptions } from './layers/batch-normalization.ts';
export type { ConcatenateOptions } from './layers/concatenate.ts';
export type { ConvAlgorithm, Numerics } from './layers/conv-algorithm.ts';
export type { Conv1dOptions } from './layers/conv1d.ts';
export type { Conv1dTransposeOptions } from './layers/conv1d-transpose.ts';
export type { Conv2dOptions } from './layers/conv2d.ts';
export type { Conv2dTransposeOptions } from './layers/conv2d-transpose.ts';
export type { CroppingOptions } from './layers/cropping2d.ts';
export type { DenseOptions } from './layers/dense.ts';
export type { DepthwiseConv2dOptions } from './layers/depthwise-conv2d.ts';
export type { DropoutOptions } from './layers/dropout.ts';
export type { GaussianNoiseOptions } from './layers/gaussian-noise.ts';
export type { GroupNormalizationOptions } from './layers/group-normalization.ts';
export type { IdentityShortcutOptions } from './layers/identity-shortcut.ts';
export * from './layers/index.ts';
export {
  type BackwardContext,
  type CallableLayer,
  defineLayer,
  type ForwardContext,
  type Layer,
  type LayerDefinition,
} from './layers/layer.ts';
export type { LayerNormalizationOptions } from './layers/layer-normalization.ts';
export type { LocalResponseNormalizationOptions } from './layers/local-response-normalization.ts';
export type { LocallyConnected1dOptions } from './layers/locally-connected1d.ts';
export type { LocallyConnected2dOptions } from './layers/locally-connected2d.ts';
export type { LpPoolOptions } from './layers/lp-pooling2d.ts';
export type { Margins } from './layers/margins.ts';
export type { PermuteOptions } from './layers/permute.ts';
export type { PoolOptions } from './layers/pooling-options.ts';
export type { Pool1dOptions } from './layers/pooling1d-options.ts';
export type { PreluOptions } from './layers/prelu.ts';
export type { ReflectionPaddingOptions } from './layers/reflection-padding2d.ts';
export { l1, l1l2, l2, type Regularizer, type RegularizerOptions } from './layers/regularizers.ts';
export type { ReshapeOptions } from './layers/reshape.ts';
export type { SeparableConv2dOptions } from './layers/separable-conv2d.ts';
export type { SequencePadding } from './layers/sequences.ts';
export type { SliceChannelsOptions } from './layers/slice-channels.ts';
export type { SpatialDropout2dOptions } from './layers/spatial-dropout2d.ts';
export type { StochasticDepthOptions } from './layers/stochastic-depth.ts';
export { type InputOptions, input, type SymbolicTensor } from './layers/symbolic.ts';
export type { Interpolation, UpSamplingOptions } from './layers/up-sampling2d.ts';
export type { WeightedPoolOptions, WindowWeights } from './layers/weighted-pooling2d.ts';
export type { ZeroPaddingOptions } from './layers/zero-padding2d.ts';
export { createEngine, Engine, type EngineOptions } from './parallel/engine.ts';
export type { Initializer } from './tensor/initializers.ts';
export type { Shape } from './tensor/shape.ts';
export type { Callback, CallbackState, TrainingRun } from './training/callbacks/callback.ts';
export { type CsvLoggerOptions, csvLogger } from './training/callbacks/csv-logger.ts';
export {
  type EarlyStopping,
  type EarlyStoppingOptions,
  earlyStopping,
} from './training/callbacks/early-stopping.ts';
export {
  type JsonlLogger,
  type JsonlLoggerOptions,
  jsonlLogger,
  readEpochEvents,
} from './training/callbacks/jsonl-logger.ts';
export {
  type ModelCheckpoint,
  type ModelCheckpointOptions,
  modelCheckpoint,
} from './training/callbacks/model-checkpoint.ts';
export type { MonitorOptions } from './training/callbacks/monitor.ts';
export type { CheckpointOptions } from './training/checkpoints.ts';
export type { EvaluateOptions, Prediction, PredictOptions } from './training/evaluate.ts';
export { argMax, type ClassOptions, labelsOf } from './training/evaluation/answers.ts';
export { type Calibration, type CalibrationBin, calibration } from './training/evaluation/calibration.ts';
export {
  type ClassificationReport,
  type ClassScores,
  classificationReport,
} from './training/evaluation/classification-report.ts';
export {
  type ConfusionMatrix,
  type ConfusionOptions,
  confusionMatrix,
  formatConfusionMatrix,
  normalizeConfusion,
} from './training/evaluation/confusion-matrix.ts';
export {
  type ClassifierEvaluation,
  type EvaluateClassifierOptions,
  evaluateClassifier,
} from './training/evaluation/evaluate-classifier.ts';
export { type Mistake, mostConfidentMistakes } from './training/evaluation/mistakes.ts';
export { formatClassificationReport, type ReportTextOptions } from './training/evaluation/report-text.ts';
export { topKAccuracy } from './training/evaluation/top-k.ts';
export type { FitOptions } from './training/fit.ts';
export { foldBatchNormalization } from './training/fold-batch-normalization.ts';
export type {
  EpochMetrics,
  EpochRecord,
  History,
  Metrics,
  OutputMetrics,
  StepProgress,
} from './training/history.ts';
export type { LearningRateSchedule } from './training/learning-rate.ts';
export {
  binaryCrossentropy,
  type CrossentropyOptions,
  categoricalCrossentropy,
  type DiceOptions,
  dice,
  type HuberOptions,
  huber,
  type Loss,
  type LossName,
  meanAbsoluteError,
  meanSquaredError,
  sparseCategoricalCrossentropy,
} from './training/losses.ts';
export type { MemoryOptions, PlannedMemory } from './training/memory.ts';
export type { Metric, MetricsOption } from './training/metric-functions.ts';
export { Model, type PredictionInputs } from './training/model.ts';
export {
  type FunctionalOptions,
  functional,
  load,
  type ModelOptions,
  type SequentialOptions,
  sequential,
} from './training/models.ts';
export type { OnNonFinite } from './training/non-finite.ts';
export type { Losses } from './training/objective.ts';
export type { BatchInput, BatchOptions } from './training/on-batch.ts';
export {
  type AdagradOptions,
  type AdamOptions,
  adagrad,
  adam,
  adamW,
  type LearningRate,
  type LionOptions,
  lion,
  type Optimizer,
  type OptimizerName,
  type OptimizerOptions,
  type RmspropOptions,
  rmsprop,
  type SgdOptions,
  sgd,
} from './training/optimizers.ts';
export { copyModel, type ReplaceHeadOptions, replaceHead } from './training/replace-head.ts';
export type { LoadOptions } from './training/save.ts';
export {
  type CosineDecayOptions,
  cosineDecay,
  type ExponentialDecayOptions,
  exponentialDecay,
  type OneCycleOptions,
  oneCycle,
  type PiecewiseConstantDecayOptions,
  piecewiseConstantDecay,
  type WarmupOptions,
  warmup,
} from './training/schedules.ts';
export type { RunOptions, Weight } from './training/state.ts';
export type { TrainedOn } from './training/trained-on.ts';
export type { Network } from './zoo/blocks.ts';
export { denseNet40, denseNetBC40, denseNetBC100 } from './zoo/cifar-densenet.ts';
export { cifarInception } from './zoo/cifar-inception.ts';
export { cifarNotebook } from './zoo/cifar-notebook.ts';
export { type CifarResNetOptions, resNet20, resNet56 } from './zoo/cifar-resnet.ts';
export type { DenseNetOptions } from './zoo/dense-block.ts';
export { denseNet121, denseNet169, denseNet201 } from './zoo/densenet.ts';
export { bilinearWeights, type FcnOptions, fcn8s } from './zoo/fcn.ts';
export { googLeNet } from './zoo/googlenet.ts';
export { googLeNetBN } from './zoo/googlenet-bn.ts';
export { type GoogLeNet, type GoogLeNetOptions, googLeNetLossWeights } from './zoo/googlenet-modules.ts';
export {
  type InceptionOptions,
  inception,
  type NaiveInceptionOptions,
  naiveInception,
} from './zoo/inception.ts';
export { type LeNet5Options, lenet5 } from './zoo/lenet5.ts';
export { type ResNetOptions, resNet18, resNet34, resNet50 } from './zoo/resnet.ts';
export { type SmallConvNetOptions, smallConvNet } from './zoo/small-conv-net.ts';
export { torchModules } from './zoo/torch-modules.ts';
export { type UNetOptions, uNet } from './zoo/u-net.ts';
export { type VggOptions, vgg16, vgg19 } from './zoo/vgg.ts';

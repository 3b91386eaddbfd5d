/** The part of the help that all training commands share. */

export const TRAINING_HELP = `Recipe
  --epochs N           default 20
  --batch-size N       default 32
  --optimizer X        'adam' (default) or 'sgd'
  --learning-rate X    default 0.001 for adam, 0.01 for sgd
  --momentum X         of sgd; default 0
  --no-augment         without shifts, zoom, rotation and flips
  --no-shuffle         every epoch in the data's own order
  --class-weight X     'balanced': rare classes count more; default 'none'
  --validation-split X share of the training images that is set aside; default 0.1
  --early-stopping N   ends the run when N epochs in a row were no better
  --monitor X          what better means: 'valAccuracy' (default), 'valLoss', 'accuracy', 'loss'
  --min-delta X        a change of no more than this is none, to --early-stopping; default 0
  --restore-best       model.safetensors gets the weights of the best epoch, not of the last one
  --on-non-finite X    'stop' (default), or 'skip' steps whose loss or gradient is NaN or infinite
  --seed N             weights, split, order, augmentation, dropout; default 21
  --numerics X         'fast' (default): Winograd convolutions; 'accurate' or 'direct': slower, other weights

Where it runs, none of which changes a bit of the result
  --threads N          workers; default: all processors
  --engine X           'simd' (default) or 'scalar': plain TypeScript, slow
  --ui                 a page in the browser follows the run, and can pause, stop and save it; the address
                       is printed, and only this machine can open it

The run's folder
  --out DIR            where config.json, metrics.jsonl, metrics.csv, checkpoints, best.safetensors,
                       model.safetensors, result.json and report.html go; default runs/<date>-<name>
  --checkpoint-every N saves after every N steps, besides after every epoch
  --gradient-norms     measures the gradient of each layer after each epoch, for the report
  --resume RUN         goes on with the run in this folder; takes --epochs, --threads, --engine, --ui
                       and --checkpoint-every besides, all else is the run's
  --help               this text

Exit codes: 0 done (also by --early-stopping), 1 failed, 2 wrong options, 130 interrupted (Ctrl-C saves).
`;

/** The part of the help that all training commands share. */

export const TRAINING_HELP = `Recipe
  --preset X           'notebook': the recipe of the notebook, 'fast': more accurate in as many epochs, 'residual' or
                       'dense': those of ResNets and DenseNets; decides what is in brackets (notebook, fast,
                       residual; dense is residual with 10 epochs, batches of 64) where nothing else is said
  --epochs N           (20, 20, 30)
  --batch-size N       (32, 64, 128)
  --optimizer X        'adam', 'adamW' or 'sgd' (adam, adamW, sgd)
  --learning-rate X    (0.001, 0.002, 0.1); of other optimizers: adam and adamW 0.001, sgd 0.01
  --momentum X         of sgd (0, 0, 0.9)
  --schedule X         'constant', or 'cosine': down to 0 in the last step (constant, cosine, cosine)
  --warmup X           epochs, or parts of one, in which the learning rate rises to its value (0, 2, 1)
  --weight-decay X     decoupled, of weights, not of biases and the like (0, 0.02, 0.005)
  --clip-norm X        limit of the norm of all gradients together; default none
  --ema X              keeps a moving average of the weights, of this momentum (0.999, say); default none
  --label-smoothing X  (0, 0.1, 0)
  --augment X          'notebook': shifts and zoom of 10%, rotations of 30 degrees, flips; 'light': shifts and flips;
                       'crop': shifts by up to 4 whole pixels, flips; 'none' (notebook, light, crop)
  --no-augment         --augment none
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

A trained model to begin with
  --from MODEL         a file (model.safetensors, best.safetensors) or a run's folder: its network, weights and
                       normalisation; where the classes are others, its last dense layer is made anew
  --freeze A,B,C       layers whose names begin so keep their weights ('conv2d', 'block1,block2')

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

Exit codes: 0 done (also by --early-stopping), 1 failed, 2 wrong options, 130 interrupted (Ctrl-C saves), 143 by SIGTERM
(saves, too).
`;

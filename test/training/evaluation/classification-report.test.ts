import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  argMax,
  classificationReport,
  confusionMatrix,
  formatClassificationReport,
  formatConfusionMatrix,
  normalizeConfusion,
} from '../../../src/index.ts';
import { reportOf } from '../../../src/training/evaluation/classification-report.ts';
import { assertClose, CASES, optionsOf, predictionOf } from './fixture.ts';

/** Lines without their spacing, and without the `.0` of a whole support at their end. */
function lines(table: string): string[] {
  const words = table.trimEnd().split('\n');
  return words.map((line) => line.trim().replaceAll(/ {2,}/g, '  ').replace(/\.0$/, ''));
}

for (const example of CASES) {
  const { name, labels, classes, confusion, byClass, averages, text, digits } = example;
  describe(`as in scikit-learn: ${name}`, () => {
    const predicted = argMax(predictionOf(example));
    const options = optionsOf(example);
    const report = classificationReport(labels, predicted, options);

    test('the confusion matrix', () => {
      assert.deepEqual(confusionMatrix(labels, predicted, options).counts, confusion);
    });

    test('precision, recall, f1 and support of each class', () => {
      report.classes.forEach(({ precision, recall, f1, support }, c) => {
        const expected = byClass[c]!;
        // A quotient or two of exact sums: no more than an operation's rounding apart.
        [precision, recall, f1, support].forEach((figure, i) => {
          assertClose(figure, expected[i]!, 4, `class ${c}, ${i}`);
        });
      });
    });

    test('micro, macro and weighted averages', () => {
      for (const kind of ['micro', 'macro', 'weighted'] as const) {
        const { precision, recall, f1 } = report[kind];
        [precision, recall, f1].forEach((figure, i) => {
          assertClose(figure, averages[kind][i]!, 3 * classes + 4, `${kind} ${i}`);
        });
      }
    });

    test('the printed table, letter by letter', () => {
      const printed = formatClassificationReport(report, { digits, overall: 'accuracy' });
      if (example.sampleWeight === null) assert.equal(`${printed}\n`, text);
      // Python prints a whole sum of weights as a float, which moves the column.
      else assert.deepEqual(lines(printed), lines(text));
    });
  });
}

describe('the table of the notebook', () => {
  // The seed's figures: recall and support are printed, precision follows from the answers of each class.
  const names = ['Airplane', 'Automobile', 'Bird', 'Cat', 'Deer', 'Dog', 'Frog', 'Horse', 'Ship', 'Truck'];
  const scored = (precision: number, recall: number, f1: number, support = 1000) => ({
    precision,
    recall,
    f1,
    support,
  });
  const figures: [number, number, number][] = [
    [0.31, 0.85, 0.45],
    [0.9, 0.83, 0.86],
    [0.82, 0.43, 0.56],
    [0.8, 0.3, 0.43],
    [0.81, 0.53, 0.64],
    [0.81, 0.43, 0.56],
    [0.66, 0.86, 0.75],
    [0.85, 0.71, 0.77],
    [0.87, 0.83, 0.85],
    [0.78, 0.88, 0.82],
  ];
  const report = {
    classes: names.map((name, c) => ({ name, ...scored(...figures[c]!) })),
    micro: scored(0.66, 0.66, 0.66, 10_000),
    macro: scored(0.76, 0.66, 0.67, 10_000),
    weighted: scored(0.76, 0.66, 0.67, 10_000),
    accuracy: 0.66,
  };

  test('is printed with the rows and columns that it has there', () => {
    assert.equal(
      formatClassificationReport(report),
      `
              precision    recall  f1-score   support

    Airplane       0.31      0.85      0.45      1000
  Automobile       0.90      0.83      0.86      1000
        Bird       0.82      0.43      0.56      1000
         Cat       0.80      0.30      0.43      1000
        Deer       0.81      0.53      0.64      1000
         Dog       0.81      0.43      0.56      1000
        Frog       0.66      0.86      0.75      1000
       Horse       0.85      0.71      0.77      1000
        Ship       0.87      0.83      0.85      1000
       Truck       0.78      0.88      0.82      1000

   micro avg       0.66      0.66      0.66     10000
   macro avg       0.76      0.66      0.67     10000
weighted avg       0.76      0.66      0.67     10000`.slice(1),
    );
  });
});

test('ties between two decimals go to the even one, as Python prints them', () => {
  const report = reportOf(
    confusionMatrix([0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1, 1, 1], { classes: 2 }),
  );
  assert.equal(report.accuracy, 0.125);
  assert.match(formatClassificationReport(report), /micro avg {7}0\.12 {6}0\.12 {6}0\.12/);
  assert.match(formatClassificationReport(report, { digits: 3 }), /micro avg {6}0\.125/);
  assert.throws(
    () => formatClassificationReport(report, { digits: 21 }),
    /digits: expected a whole number from 0 to 20/,
  );
});

describe('a confusion matrix', () => {
  const matrix = confusionMatrix([0, 0, 0, 1, 1, 2], [0, 1, 0, 1, 1, 0], { classNames: ['a', 'bird', 'c'] });

  test('has the truth in rows', () => {
    assert.deepEqual(matrix.counts, [
      [2, 1, 0],
      [0, 2, 0],
      [1, 0, 0],
    ]);
  });

  test('is printed as a table', () => {
    const table = ['      a  bird  c', 'a     2     1  0', 'bird  0     2  0', 'c     1     0  0'];
    assert.equal(formatConfusionMatrix(matrix), table.join('\n'));
  });

  test('is normalised by truth, by answer, by all, and zero where there is nothing', () => {
    assert.deepEqual(normalizeConfusion(matrix).counts, [
      [2 / 3, 1 / 3, 0],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    assert.deepEqual(normalizeConfusion(matrix, 'predicted').counts, [
      [2 / 3, 1 / 3, 0],
      [0, 2 / 3, 0],
      [1 / 3, 0, 0],
    ]);
    assert.equal(normalizeConfusion(matrix, 'all').counts[0]![0], 2 / 6);
    assert.match(formatConfusionMatrix(normalizeConfusion(matrix)), /^a +0\.67 +0\.33 +0\.00$/m);
  });

  test('of nothing is a report of zeros', () => {
    const report = reportOf(confusionMatrix([], [], { classes: 2 }));
    assert.equal(report.accuracy, 0);
    assert.deepEqual(report.macro, { precision: 0, recall: 0, f1: 0, support: 0 });
  });

  test('counts no class but those that are named, and refuses what does not fit', () => {
    const message = (...args: Parameters<typeof confusionMatrix>): string => {
      try {
        confusionMatrix(...args);
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    };
    assert.equal(
      message([0, 3], [0, 1], { classes: 3 }),
      'confusionMatrix: labels[1]: expected a class index below 3, got 3',
    );
    assert.equal(message([0, 1], [0]), 'confusionMatrix: predicted: expected 2 class indices, got 1');
    assert.equal(message([0.5], [0]), 'confusionMatrix: classes: expected a positive whole number, got 1.5');
    assert.match(message([0], [0], { classes: 2, classNames: ['a'] }), /a name for each of 2 classes, got 1/);
    assert.match(message([0], [0], { sampleWeight: [-1] }), /sampleWeight\[0\]: expected a finite weight/);
    assert.match(message([0], [0], { sampleWeight: [] }), /sampleWeight: expected 1 weights.*got 0/);
  });
});

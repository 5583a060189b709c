"""Texts of the checks of datasets, LR301 to LR324."""

from __future__ import annotations

from lrfind.checks.explanation import Explanation, bars, curve

KAUFMAN = "Kaufman, Rosset & Perlich 2011, Leakage in Data Mining: Formulation, Detection, and Avoidance, KDD"
NORTHCUTT = (
    "Northcutt, Jiang & Chuang 2019, Confident Learning: Estimating Uncertainty in Dataset Labels, arXiv:1911.00068"
)
BRECK = "Breck et al. 2019, Data Validation for Machine Learning, MLSys"

DATASET_TEXTS = (
    Explanation(
        code="LR301",
        meaning="Small models trained on these columns predict rows held out no better than a constant.",
        detection=(
            "Held-out gains of several models over the constant, against those of flipped signs. A warning where "
            "columns still have to do with the target, or where rows are too few to say; else an error."
        ),
        advice="Check that the target is the right column and that its rows belong to the features.",
        picture=bars("88887888", "held-out loss of each model: none below knowing nothing"),
        references=(),
    ),
    Explanation(
        code="LR302",
        meaning="A column tells the target almost by itself, as only something recorded afterwards does.",
        detection="How well each column alone predicts every row from the other rows.",
        advice="Drop the column if it is not known when the prediction is made.",
        picture=bars("11191211", "what each column alone explains: one explains all"),
        references=(KAUFMAN,),
    ),
    Explanation(
        code="LR303",
        meaning="A column has one value in every row and can teach nothing.",
        detection="Counted.",
        advice="Drop it, or find out why it no longer varies.",
        picture=curve("55555555555555", "the column's value over rows"),
        references=(),
    ),
    Explanation(
        code="LR304",
        meaning="Two columns hold the same values.",
        detection="Compared value by value.",
        advice="Drop one of them: together they only double its weight.",
        picture=bars("27493627493600", "values of one column, and of another: the same"),
        references=(),
    ),
    Explanation(
        code="LR305",
        meaning="A column has a value of its own in nearly every row: a number or name of the row, not a feature.",
        detection="The share of distinct values, and how they run.",
        advice="Drop it; models learn it by heart and fail on new rows.",
        picture=curve("01234567890123", "the column's value over rows: it counts"),
        references=(KAUFMAN,),
    ),
    Explanation(
        code="LR306",
        meaning="Rows occur more than once.",
        detection="Counted over all columns.",
        advice="Drop the copies, or split so that copies stay on one side.",
        picture=bars("11411121", "copies of each row"),
        references=(BRECK,),
    ),
    Explanation(
        code="LR307",
        meaning="The same rows are in the training and in the validation part, so the held-out loss is too good.",
        detection="Rows of both parts compared.",
        advice="Drop the copies, or split by group: --split group:COL.",
        picture=bars("99990099", "rows of the training part, and of the validation part"),
        references=(KAUFMAN,),
    ),
    Explanation(
        code="LR308",
        meaning="Some rows have no target and cannot be learned from.",
        detection="Counted.",
        advice="Find out why they are missing: if not by chance, the rest is a biased sample.",
        picture=bars("99909909", "rows with a target, and without"),
        references=("Rubin 1976, Inference and Missing Data, Biometrika 63",),
    ),
    Explanation(
        code="LR309",
        meaning="A class has so few rows that neither learning it nor judging it is possible.",
        detection="Counted, in the training and in the validation part.",
        advice="Merge it with another, collect more, or weight it.",
        picture=bars("97610000", "rows of each class"),
        references=("He & Garcia 2009, Learning from Imbalanced Data, IEEE TKDE 21",),
    ),
    Explanation(
        code="LR310",
        meaning="A share of the labels contradicts what models trained on other rows are sure of.",
        detection="Out-of-fold predictions: confident disagreement beyond what sound labels show.",
        advice="Look through the labels by hand; correct them before tuning a rate.",
        picture=bars("98989129", "confidence in the given label of each row"),
        references=(NORTHCUTT,),
    ),
    Explanation(
        code="LR311",
        meaning="Some columns reach values far beyond the rest, so that a few rows decide each step.",
        detection="The share of the variance in 0.1 % of the rows, and each scale against the typical one.",
        advice="Take logarithms or ranks, or clip; standardising alone does not help.",
        picture=bars("11211191", "size of the values: one far from the rest"),
        references=("Huber 1981, Robust Statistics",),
    ),
    Explanation(
        code="LR312",
        meaning="A column of numbers is stored as text and was taken for names.",
        detection="The share of its values that can be read as numbers.",
        advice="Remove units and thousands separators, or set the type on export.",
        picture=bars("99990999", "values that read as numbers, and one that does not"),
        references=(),
    ),
    Explanation(
        code="LR313",
        meaning="Rows depend on their order: neighbours are alike, or what is to be predicted drifts.",
        detection="The last quarter predicted from the first rows, and from rows drawn at random.",
        advice="Hold out the latest rows: --split time:COL.",
        picture=curve("22334355566778", "the target over rows: it drifts"),
        references=(),
    ),
    Explanation(
        code="LR314",
        meaning="Training on these data diverges or depends on the seed far more than it should.",
        detection="Small models at modest rates over several seeds.",
        advice="Look at LR311 and LR315 first; then lower the rate and warm up.",
        picture=curve("75326491837294", "loss over steps: seeds go their own ways"),
        references=(),
    ),
    Explanation(
        code="LR315",
        meaning="Columns hold NaN or infinite values that are not marked as missing.",
        detection="Counted.",
        advice="Mark them as missing on export, or repair the division that made them.",
        picture=bars("77707797", "values of the column, with holes"),
        references=(BRECK,),
    ),
    Explanation(
        code="LR321",
        meaning="Columns came, went or changed their kind since the baseline was written.",
        detection="Names and kinds compared with the baseline.",
        advice="If it is meant, write a new baseline with --update-baseline.",
        picture=bars("55550555", "columns of the baseline, one missing"),
        references=(BRECK,),
    ),
    Explanation(
        code="LR322",
        meaning="The values of a column are distributed differently than in the baseline.",
        detection="A chi-square test a column, adjusted for their number (Holm), and the stability index.",
        advice="Find out what changed upstream; retrain if it is meant to stay.",
        picture=curve("01399310013993", "how often each value occurs: then and now"),
        references=(BRECK,),
    ),
    Explanation(
        code="LR323",
        meaning="The learning rate that suits these data has moved since the baseline.",
        detection="The ranges of rates that would do, then and now: further apart than their errors.",
        advice="Run `lrfind sweep` again and use its rate.",
        picture=curve("99731379999999", "loss as the rate rises: the valley has moved"),
        references=(),
    ),
    Explanation(
        code="LR324",
        meaning="The loss that can be reached is worse than the baseline's, by more than noise.",
        detection="Held-out losses now and then, with their errors over rows and over folds.",
        advice="Look at LR321 and LR322 first: the data changed before the model did.",
        picture=bars("33338888", "held-out loss: then, and now"),
        references=(BRECK,),
    ),
)

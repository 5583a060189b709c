"""Texts of the checks of datasets, LR301 to LR324."""

from __future__ import annotations

from lrfind.checks.explanation import Explanation, bars, curve, curves, sheet

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
            "What linear models and networks, or a random forest where those gain nothing, gain over a constant on "
            "rows held out, set against what chance gains: the same with signs flipped at random. It is a warning "
            "where chance seldom gains as much, where columns still have to do with the target, or where rows are too "
            "few to say; else an error."
        ),
        advice="Check that the target is the right column and that its rows belong to the features.",
        picture=bars("8 8989889", "held-out loss of a constant guess, and of each model: none is lower"),
        references=(),
    ),
    Explanation(
        code="LR302",
        meaning="A column tells the target almost by itself, as only something recorded afterwards does.",
        detection="How well each column alone predicts every row from the other rows.",
        advice="Drop the column if it is not known when the prediction is made.",
        picture=bars("21191221", "how much of the target each column explains alone: one explains nearly all"),
        references=(KAUFMAN,),
    ),
    Explanation(
        code="LR303",
        meaning="A column has one value in every row and can teach nothing.",
        detection="A single value in all rows, or none; where it is blank in some rows, blank is a value, too.",
        advice="Drop it, or find out why it no longer varies.",
        picture=sheet(
            "row        1     2     3     4     5",
            "country   DE    DE    DE    DE    DE",
            caption="one value in every row",
        ),
        references=(),
    ),
    Explanation(
        code="LR304",
        meaning="Two columns hold the same values, or the same in other units.",
        detection="All values compared, row by row; numbers also with a + b times the other column, to the last digit.",
        advice="Drop one of them: together they only double its weight.",
        picture=sheet(
            "size      4     9     3     7     5",
            "area      4     9     3     7     5",
            caption="two names, the same values",
        ),
        references=(),
    ),
    Explanation(
        code="LR305",
        meaning="A column has a value of its own in nearly every row: a number or name of the row, not a feature.",
        detection="Text with a value of its own in nearly every row; whole numbers that count rows without a gap, or "
        "that all differ in a column called like an id. Sweep and check leave such columns out.",
        advice="Drop it; models learn it by heart and fail on new rows.",
        picture=curve("0123456789", "the column's value, row by row: it counts the rows"),
        references=(KAUFMAN,),
    ),
    Explanation(
        code="LR306",
        meaning="Rows occur more than once.",
        detection="Rows alike in all columns: 1% of the table or more, and ten times as many as chance makes of such "
        "values, or a quarter of the rows of rare values.",
        advice="Drop the copies, or split so that copies stay on one side.",
        picture=sheet(
            "5.1   3.5   1.4   setosa       <",
            "4.9   3.0   1.4   setosa",
            "6.2   2.9   4.3   versicolor",
            "5.1   3.5   1.4   setosa       <",
            caption="the same row twice",
        ),
        references=(BRECK,),
    ),
    Explanation(
        code="LR307",
        meaning="The same rows are in the training and in the validation part, so the held-out loss is too good.",
        detection="Rows of both parts compared in all columns; an error where half of them, and of the rows of "
        "rare values, repeat.",
        advice="Drop the copies, or split by group: --split group:COL.",
        picture=sheet(
            "training     ████████████████████████",
            "validation                     ██████████",
            "                               ^^^^^^",
            caption="some rows are on both sides",
        ),
        references=(KAUFMAN,),
    ),
    Explanation(
        code="LR308",
        meaning="Some rows have no target and cannot be learned from.",
        detection="Rows whose target is empty, counted.",
        advice="Find out why they are missing: if not by chance, the rest is a biased sample.",
        picture=sheet(
            "area   rooms   price",
            "  52       2     180",
            "  75       3",
            "  61       2     210",
            "  88       4",
            caption="rows without a target",
        ),
        references=("Rubin 1976, Inference and Missing Data, Biometrika 63",),
    ),
    Explanation(
        code="LR309",
        meaning="A class has so few rows that neither learning it nor judging it is possible.",
        detection="Rows of each class, counted in the training and in the validation part; fewer than 20 are too few.",
        advice="Merge it with another, collect more, or weight it.",
        picture=bars("9741", "rows of each class: the last has hardly any"),
        references=("He & Garcia 2009, Learning from Imbalanced Data, IEEE TKDE 21",),
    ),
    Explanation(
        code="LR310",
        meaning="A share of the labels contradicts what models trained on other rows are sure of.",
        detection="Out-of-fold predictions: confident disagreement beyond what sound labels show.",
        advice="Look through the labels by hand; correct them before tuning a rate.",
        picture=bars("98989199829", "how sure a model is of the label each row was given: of some not at all"),
        references=(NORTHCUTT,),
    ),
    Explanation(
        code="LR311",
        meaning="Some columns reach values far beyond the rest, so that a few rows decide each step.",
        detection="The furthest 0.1% of rows hold more than half of a column's variance, a value lies 10,000 spreads "
        "out, or scales are a factor of 10,000 apart.",
        advice="Take logarithms or ranks, or clip; standardising alone does not help.",
        picture=bars("11211191", "how large the values of each column are: one is far from the rest"),
        references=("Huber 1981, Robust Statistics",),
    ),
    Explanation(
        code="LR312",
        meaning="A column of numbers is stored as text and was taken for names.",
        detection="The share of its values that can be read as numbers.",
        advice="Remove units and thousands separators, or set the type on export.",
        picture=sheet(
            "income       taken as",
            " 1200        text",
            "$1,900       text",
            " 2750        text",
            caption="numbers, but for their spelling",
        ),
        references=(),
    ),
    Explanation(
        code="LR313",
        meaning="Rows depend on their order: neighbours are alike, or what is to be predicted drifts.",
        detection="The last quarter predicted from the first rows, and from rows drawn at random.",
        advice="Hold out the latest rows: --split time:COL.",
        picture=curve("2321323434354546565676878789", "the target, row by row: it drifts"),
        references=(),
    ),
    Explanation(
        code="LR314",
        meaning="Training on these data diverges or depends on the seed far more than it should.",
        detection="Small models at modest rates over several seeds.",
        advice="Look at LR311 and LR315 first; then lower the rate and warm up.",
        picture=curves(
            ("", "97532111111111111111"),
            ("", "9864445^            "),
            ("", "98767568574657465746"),
            caption="loss over steps, a line a seed: each goes its own way",
        ),
        references=(),
    ),
    Explanation(
        code="LR315",
        meaning="Columns hold NaN or infinite values that are not marked as missing.",
        detection="NaN and infinities among the numbers of a column, counted.",
        advice="Mark them as missing on export, or repair the division that made them.",
        picture=sheet("ratio    0.52    nan   0.61    inf   0.48", caption="values that are no numbers"),
        references=(BRECK,),
    ),
    Explanation(
        code="LR321",
        meaning="Columns came, went or changed their kind since the baseline was written.",
        detection="Names and kinds compared with the baseline.",
        advice="If it is meant, write a new baseline with --update-baseline.",
        picture=sheet(
            "baseline   age    income   city     score",
            "now        age    income            score   zip",
            caption="a column has gone, and another has come",
        ),
        references=(BRECK,),
    ),
    Explanation(
        code="LR322",
        meaning="The values of a column are distributed differently than in the baseline.",
        detection="A chi-square test a column, adjusted for their number (Holm), and the stability index less chance.",
        advice="Find out what changed upstream; retrain if it is meant to stay.",
        picture=curves(
            ("now", "00000000136898631000"),
            ("baseline", "00136898631000000000"),
            caption="how often each value occurs: now, and dashed with the baseline",
        ),
        references=(BRECK,),
    ),
    Explanation(
        code="LR323",
        meaning="The learning rate that suits these data has moved since the baseline.",
        detection="The ranges of rates that would do, then and now: further apart than their errors.",
        advice="Run `lrfind sweep` again and use its rate.",
        picture=curves(
            ("now", "99999999864201369999"),
            ("baseline", "99864201369999999999"),
            caption="loss as the rate rises: now, and dashed with the baseline",
        ),
        references=(),
    ),
    Explanation(
        code="LR324",
        meaning="The loss that can be reached is worse than the baseline's, by more than noise.",
        detection="Held-out losses now and then, with their errors over rows and over folds.",
        advice="Look at LR321 and LR322 first: the data changed before the model did.",
        picture=bars("3343 8788", "held-out loss of several runs: with the baseline, and now"),
        references=(BRECK,),
    ),
)

"""Reports made by formula, for tests of everything that renders one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lrfind.checks import Finding
from lrfind.curve import Analysis, Landmark, Outcome
from lrfind.data import Column, Source, Table
from lrfind.problem import Encoding, Problem
from lrfind.recommend import Evidence, Expected, Recommendation
from lrfind.report import Report
from lrfind.schedule import make_schedule
from lrfind.sweep import Sweep

N_SEEDS, N_STEPS = 8, 400
LRS = np.geomspace(1e-7, 10, N_STEPS)
HOSTILE = "<script>alert(1)</script>[red]$x^$\x1b[31m\u202e\nend"
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title></svg><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//<a href=javascript:alert(1)>",
    "<!--<script>]]><iframe src=//x>",
    "&lt;b&gt;&#60;i&#62;\x00\x1b]8;;http://x\x07\u202e\u2028",
)


def curve(*, start: float, floor: float, fall_at: float, blow_at: float | None) -> np.ndarray:
    """Return a loss that falls as a sigmoid of log10(lr) and leaves for good near `blow_at`."""
    place = np.log10(LRS)
    loss = floor + (start - floor) / (1 + np.exp(4 * (place - np.log10(fall_at))))
    if blow_at is not None:
        loss = loss + np.expm1(np.clip(3 * (place - np.log10(blow_at)) ** 2 * (place > np.log10(blow_at)), 0, 7))
    return loss


def sweep_of(mean: np.ndarray, *, noise: float, lost: bool = True) -> Sweep:
    """Return seeds scattered about a mean; with `lost`, NaN once the loss is far gone."""
    rng = np.random.default_rng(0)
    losses = np.abs(mean + noise * rng.standard_normal((N_SEEDS, N_STEPS)) * np.sqrt(np.clip(mean, 0.05, 50)))
    if lost:
        losses[:, mean > 300] = np.nan
    grads = np.clip(mean, 0.02, 1e3) ** 1.5 * np.exp(0.2 * rng.standard_normal((N_SEEDS, N_STEPS)))
    return Sweep(lrs=LRS.copy(), losses=losses, grad_norms=grads)


def analysis_of(mean: np.ndarray, *, noise: float, outcome: Outcome, marks: dict[str, float]) -> Analysis:
    """Return an analysis that knows the mean exactly."""
    landmarks = {name: Landmark(lr=lr, low=lr / 1.3, high=lr * 1.4) for name, lr in marks.items()}
    kept = np.isfinite(mean) & (mean < 300)
    return Analysis(
        lrs=LRS[kept],
        pooled=mean[kept],
        low=mean[kept] * 0.97,
        high=mean[kept] * 1.03,
        start_loss=float(mean[0]),
        min_loss=float(mean[kept].min()),
        noise=noise,
        noise_removed=0.4,
        onset=landmarks.get("onset"),
        steepest=landmarks.get("steepest"),
        fallen=landmarks.get("fallen"),
        minimum=landmarks.get("minimum"),
        divergence=landmarks.get("divergence"),
        rules={"valley": 2.1e-3, "steep": 1.1e-3, "min/10": 4.8e-3, "slide": None},
        outcome=outcome,
    )


def table_of(*, name: str, columns: list[str], target: str, rows: int = 569) -> Table:
    """Return a table of zeros, the target a text column."""
    made = [Column(name=c, kind="number", values=np.zeros(rows)) for c in columns]
    made.append(Column(name=target, kind="text", values=np.array(["a"] * rows, dtype=object)))
    source = Source(
        name=name,
        path=f"sample_data/{name}",
        format="csv",
        sha256="9f" * 32,
        size=119_913,
        mtime=None,
        detected=(("delimiter", "comma"), ("encoding", "utf-8")),
    )
    return Table(
        source=source, columns=tuple(made), n_rows=rows, n_rows_total=rows, notes=("2 blank lines were skipped.",)
    )


def problem_of(*, columns: list[str], target: str, classes: tuple[str, ...], baseline: float) -> Problem:
    """Return an encoded problem of zeros."""
    how = [Encoding(column=c, how="standardised", n_features=1, n_missing=0) for c in columns]
    n_features = len(columns)
    return Problem(
        task="classification" if classes else "regression",
        target=target,
        target_reason="it is the last column",
        task_reason=f"it holds {len(classes)} different words" if classes else "it holds 142 different numbers",
        classes=classes,
        features=tuple(columns),
        encodings=tuple(how),
        X_train=np.zeros((427, n_features), np.float32),
        y_train=np.zeros(427, np.int64 if classes else np.float32),
        X_val=np.zeros((142, n_features), np.float32),
        y_val=np.zeros(142, np.int64 if classes else np.float32),
        split="random",
        target_mean=0.0 if classes else 23.4,
        target_sd=1.0 if classes else 7.8,
        baseline_loss=baseline,
        n_rows_dropped=0,
        notes=("Rows were split at random; a quarter was held out.",),
    )


CONFIG = {
    "model": "mlp",
    "hidden": (64,),
    "activation": "relu",
    "optimizer": "adam",
    "batch_size": 64,
    "lr_min": 1e-7,
    "lr_max": 10.0,
    "steps": N_STEPS,
    "seeds": N_SEEDS,
    "train_steps": 400,
    "epochs": None,
    "seed": 0,
}
FINDINGS = (
    Finding(
        code="LR101",
        state="passed",
        severity="error",
        title="loss never falls",
        message="The loss falls by 0.61, 24 times its noise.",
    ),
    Finding(
        code="LR102", state="passed", severity="warning", title="never diverges", message="The loss diverges at 0.21."
    ),
    Finding(
        code="LR105",
        state="found",
        severity="warning",
        title="seeds disagree",
        message="2 of 8 seeds place the minimum a factor of 3 from the rest.",
        evidence={"factor": 3.0},
        advice="Use 16 seeds: --seeds 16.",
    ),
    Finding(
        code="LR108",
        state="not_applicable",
        severity="tip",
        title="too few steps",
        message="400 steps are enough to judge.",
    ),
)
FEATURES = [
    f"{part} {what}"
    for part in ("mean", "worst", "error of")
    for what in (
        "radius",
        "texture",
        "perimeter",
        "area",
        "smoothness",
        "compactness",
        "concavity",
        "points",
        "symmetry",
        "dimension",
    )
]


def ok_report() -> Report:
    """Return a classification run that went well."""
    mean = curve(start=0.69, floor=0.03, fall_at=4e-4, blow_at=0.15)
    marks = {"onset": 6e-5, "steepest": 4e-4, "fallen": 1.2e-3, "minimum": 0.03, "divergence": 0.21}
    return Report(
        version="0.1.0",
        created="2026-01-01T12:00:00Z",
        command=("lrfind", "sweep", "sample_data/healthcare_breast_cancer.csv", "--seed", "0"),
        config=CONFIG,
        table=table_of(name="healthcare_breast_cancer.csv", columns=FEATURES, target="diagnosis"),
        problem=problem_of(columns=FEATURES, target="diagnosis", classes=("benign", "malignant"), baseline=0.661),
        sweep=sweep_of(mean, noise=0.05),
        analysis=analysis_of(mean, noise=0.025, outcome=Outcome.OK, marks=marks),
        recommendation=Recommendation(
            verdict="ok",
            sentence="Train with a peak learning rate of 0.0042; anything between 0.0015 and 0.012 does as well.",
            lr=0.0042,
            lr_low=0.0015,
            lr_high=0.012,
            lr_max_stable=0.21,
            optimizer="adam",
            batch_size=64,
            train_steps=400,
            schedule=make_schedule("warmup_cosine", peak_lr=0.0042, n_steps=400),
            expected=Expected(val_loss=0.081, val_loss_se=0.006, baseline_loss=0.661),
            evidence=(
                Evidence(
                    name="range test",
                    text="8 seeds pooled: the loss falls fastest at 0.0004 and is lowest at 0.03.",
                    lr=0.0035,
                ),
                Evidence(
                    name="held-out",
                    text="Trained at 0.0042, 8 seeds reach a loss of 0.081 on 142 rows held out.",
                    lr=0.0042,
                ),
                Evidence(
                    name="schedule",
                    text="warmup_cosine divergence begins at only 2.1 times the rate, so the first steps rise to it.",
                ),
                Evidence(name="valley", text="fastai's valley reads 0.0021 off the first seed.", lr=0.0021),
            ),
        ),
        findings=FINDINGS,
        timing={"read": 0.041, "prepare": 0.212, "sweep": 0.388, "analyse": 0.035},
    )


def hostile_report(payload: str = HOSTILE) -> Report:
    """Return a regression run every name of which is an attack."""
    columns = [payload, f"{payload} two", payload * 1000, "héllo wörld", "数据"]
    base = ok_report()
    problem = problem_of(columns=columns, target=f"t {payload}", classes=(), baseline=1.02)
    table = table_of(name=f"{payload}.csv", columns=columns, target=f"t {payload}")
    encodings = (
        Encoding(column=payload, how=f"dropped: constant {payload}", n_features=0, n_missing=3),
        *problem.encodings[1:],
    )
    finding = replace(
        FINDINGS[2], message=f"Column {payload} is an id.", advice=f"--drop {payload}", title=f"id {payload}"
    )
    mean = curve(start=1.05, floor=0.18, fall_at=8e-4, blow_at=0.3)
    return replace(
        base,
        command=("lrfind", "sweep", payload),
        config={**CONFIG, "optimizer": "sgd", "where": payload, payload: payload, "odd": float("nan")},
        table=replace(table, notes=(f"Column {payload} was renamed.",)),
        problem=replace(
            problem, encodings=encodings, notes=(f"Target {payload} was chosen.",), split=f"group:{payload}"
        ),
        sweep=sweep_of(mean, noise=0.1),
        analysis=replace(base.analysis, rules={**base.analysis.rules, payload: 0.01}),
        recommendation=replace(
            base.recommendation,
            sentence=f"Train {payload} at 0.0042.",
            optimizer="sgd",
            evidence=(Evidence(name=payload, text=f"because {payload}", lr=float("inf")),),
        ),
        findings=(*FINDINGS[:2], finding),
    )


def hostile_classes_report(payload: str = HOSTILE) -> Report:
    """Return a classification run whose class labels are attacks."""
    base = hostile_report(payload)
    return replace(
        base, problem=replace(base.problem, task="classification", classes=(payload, f"{payload}2", payload * 50))
    )


def no_signal_report() -> Report:
    """Return a run in which nothing could be learned."""
    base = ok_report()
    mean = curve(start=0.69, floor=0.685, fall_at=4e-4, blow_at=0.3)
    finding = Finding(
        code="LR101",
        state="found",
        severity="error",
        title="loss never falls",
        message="The loss falls by 0.005, a fifth of its noise of 0.025.",
        advice="Check that diagnosis is the right target.",
    )
    return replace(
        base,
        sweep=sweep_of(mean, noise=0.05),
        analysis=analysis_of(mean, noise=0.025, outcome=Outcome.NEVER_FALLS, marks={"divergence": 0.4}),
        recommendation=replace(
            base.recommendation,
            verdict="no_signal",
            sentence="No rate was found: the loss never falls by more than its noise.",
            lr=None,
            lr_low=None,
            lr_high=None,
            lr_max_stable=0.4,
            schedule=None,
            expected=None,
            evidence=(),
        ),
        findings=(finding,),
    )


def never_diverges_report() -> Report:
    """Return a run whose range ended too low."""
    base = ok_report()
    mean = curve(start=0.69, floor=0.05, fall_at=0.2, blow_at=None)
    finding = Finding(
        code="LR102",
        state="found",
        severity="warning",
        title="never diverges",
        message="The loss is still falling at 10, the highest rate tried.",
        evidence={"lr_suggested": 100.0},
        advice="Use --lr-max 1000.",
    )
    return replace(
        base,
        sweep=sweep_of(mean, noise=0.05, lost=False),
        analysis=analysis_of(mean, noise=0.025, outcome=Outcome.NEVER_DIVERGES, marks={"onset": 0.03, "steepest": 0.2}),
        recommendation=replace(
            base.recommendation,
            verdict="range_too_narrow",
            sentence="The range ends at 10, before the loss diverges; 3 is the best rate seen.",
            lr=3.0,
            lr_low=0.8,
            lr_high=None,
            lr_max_stable=None,
            expected=None,
            optimizer="sgd",
            schedule=make_schedule("cosine", peak_lr=3.0, n_steps=400),
            evidence=(),
        ),
        findings=(finding,),
    )


REPORTS = {
    "ok": ok_report,
    "hostile": hostile_report,
    "hostile_classes": hostile_classes_report,
    "no_signal": no_signal_report,
    "never_diverges": never_diverges_report,
}

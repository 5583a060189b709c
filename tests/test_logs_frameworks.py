"""Logs as the real libraries write them, against what the libraries themselves remember."""

from __future__ import annotations

import contextlib
import io
import json
import warnings

import numpy as np
import pytest

from lrfind.logs import read_log

pytestmark = pytest.mark.frameworks


@pytest.fixture(autouse=True)
def _their_warnings():
    # What other libraries warn about among themselves is not ours to mend.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("torch")
    return pytest.importorskip("keras")


def fitted(keras, callbacks, *, epochs=4, verbose=0, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    y = X.sum(axis=1, keepdims=True)
    return model.fit(X, y, epochs=epochs, batch_size=16, verbose=verbose, callbacks=callbacks, **options)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_keras_csv_logger(keras, tmp_path, separator):
    path = tmp_path / "training.log"
    history = fitted(keras, [keras.callbacks.CSVLogger(str(path), separator=separator)], validation_split=0.25)
    log = read_log(str(path))
    assert (log.format, log.step_unit) == ("keras csv", "epoch")
    np.testing.assert_array_equal(log.step, [0, 1, 2, 3])
    np.testing.assert_allclose(log.loss, history.history["loss"], rtol=1e-6)
    np.testing.assert_allclose(log.val_loss, history.history["val_loss"], rtol=1e-6)


def test_keras_csv_logger_with_validation_every_other_epoch(keras, tmp_path):
    path = tmp_path / "training.csv"
    history = fitted(keras, [keras.callbacks.CSVLogger(str(path))], validation_split=0.25, validation_freq=2)
    log = read_log(str(path))
    np.testing.assert_allclose(log.loss, history.history["loss"], rtol=1e-6)
    assert log.val_loss is None or np.isfinite(log.val_loss).sum() == 2


def test_keras_history_as_json(keras, tmp_path):
    history = fitted(keras, [], validation_split=0.25)
    path = tmp_path / "history.json"
    path.write_text(json.dumps(history.history))
    log = read_log(str(path))
    assert log.format == "keras history"
    np.testing.assert_array_equal(log.loss, history.history["loss"])
    np.testing.assert_array_equal(log.val_loss, history.history["val_loss"])


@pytest.mark.parametrize("verbose", [1, 2])
def test_keras_progress_bars(keras, tmp_path, verbose):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        history = fitted(keras, [], verbose=verbose, validation_split=0.25)
    path = tmp_path / "out.txt"
    path.write_text(printed.getvalue(), encoding="utf-8")
    log = read_log(str(path))
    assert (log.format, log.step_unit, list(log.step)) == ("text", "epoch", [1, 2, 3, 4])
    np.testing.assert_allclose(log.loss, history.history["loss"], rtol=2e-3)
    np.testing.assert_allclose(log.val_loss, history.history["val_loss"], rtol=2e-3)


def test_lightning_csv_and_tensorboard_agree(tmp_path):
    torch = pytest.importorskip("torch")
    lightning = pytest.importorskip("lightning.pytorch")
    loggers = pytest.importorskip("lightning.pytorch.loggers")
    pytest.importorskip("tensorboard")
    losses = []

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def training_step(self, batch, _):
            loss = ((self.layer(batch[0]) - batch[1]) ** 2).mean()
            losses.append(float(loss))
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", ((self.layer(batch[0]) - batch[1]) ** 2).mean())

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 0.01)

    torch.manual_seed(0)
    X = torch.randn(64, 3)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, X.sum(1, keepdim=True)), batch_size=16)
    written = [loggers.CSVLogger(str(tmp_path), name="csv"), loggers.TensorBoardLogger(str(tmp_path), name="tb")]
    trainer = lightning.Trainer(
        max_epochs=3, logger=written, log_every_n_steps=1, enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False, accelerator="cpu",
        callbacks=[lightning.callbacks.LearningRateMonitor(logging_interval="step")],
    )  # fmt: skip
    trainer.fit(Model(), loader, loader)
    for folder, format_ in (("csv", "lightning csv"), ("tb", "tensorboard")):
        log = read_log(str(tmp_path / folder))
        assert log.format == format_
        assert log.column("loss") == "train_loss_step"
        assert log.column("lr") == "lr-Adam"
        assert log.optimizer == "adam"
        np.testing.assert_array_equal(log.step, np.arange(12))
        np.testing.assert_allclose(log.loss, losses, rtol=1e-5)
        assert np.isfinite(log.val_loss).sum() == 3
        assert log.repairs == ()


def test_transformers_trainer_state_and_output(tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def forward(self, x, labels=None):
            out = self.layer(x)
            return {"loss": ((out - labels) ** 2).mean(), "logits": out}

    torch.manual_seed(0)
    X = torch.randn(64, 3)
    rows = [{"x": row, "labels": row.sum(0, keepdim=True)} for row in X]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"), num_train_epochs=3, per_device_train_batch_size=8, logging_steps=4,
        use_cpu=True, eval_strategy="epoch", save_strategy="epoch", report_to=[], disable_tqdm=True, learning_rate=0.01,
    )  # fmt: skip
    trainer = transformers.Trainer(model=Model(), args=arguments, train_dataset=rows, eval_dataset=rows)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        trainer.train()
    history = [record for record in trainer.state.log_history if "loss" in record]
    expected = [float(record["loss"]) for record in history]
    log = read_log(str(tmp_path / "out"))
    assert log.format == "trainer_state"
    np.testing.assert_array_equal(log.step, [record["step"] for record in history])
    np.testing.assert_allclose(log.loss, expected)
    np.testing.assert_allclose(log.lr, [float(record["learning_rate"]) for record in history])
    np.testing.assert_allclose(log.grad_norm, [float(record["grad_norm"]) for record in history])
    assert np.isfinite(log.val_loss).sum() == 3
    path = tmp_path / "printed.txt"
    path.write_text(printed.getvalue())
    np.testing.assert_allclose(read_log(str(path)).loss, expected, rtol=1e-3)


def test_summary_writer_of_torch(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(50):
            writer.add_scalar("Loss/train", 1 / (step + 1), step)
            writer.add_scalar("Loss/test", 2 / (step + 1), step, new_style=True)
            writer.add_histogram("weights", np.arange(1000.0), step)
            writer.add_text("note", "some text", step)
            writer.add_image("picture", np.zeros((3, 60, 60)), step)
    log = read_log(str(tmp_path))
    assert (log.format, dict(log.columns)["loss"]) == ("tensorboard", "Loss/train")
    np.testing.assert_array_equal(log.step, np.arange(50))
    np.testing.assert_allclose(log.loss, 1 / np.arange(1, 51), rtol=1e-6)
    np.testing.assert_allclose(log.val_loss, 2 / np.arange(1, 51), rtol=1e-6)


def test_add_scalars_writes_a_directory_for_each(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(20):
            writer.add_scalars("loss", {"train": 1 / (step + 1), "valid": 2 / (step + 1)}, step)
    log = read_log(str(tmp_path))
    np.testing.assert_allclose(log.loss, 1 / np.arange(1, 21), rtol=1e-6)
    np.testing.assert_allclose(log.val_loss, 2 / np.arange(1, 21), rtol=1e-6)


def test_every_scalar_that_tensorboard_reads_is_read_alike(tmp_path):
    pytest.importorskip("torch")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from torch.utils.tensorboard import SummaryWriter

    from lrfind.logs.events import ScalarReader
    from lrfind.logs.opened import open_log

    values = np.random.default_rng(0).normal(size=200)
    with SummaryWriter(str(tmp_path)) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("a", value, step * 3)
            writer.add_scalar("b/c", -value, step, new_style=True, double_precision=bool(step % 2))
    theirs = accumulator.EventAccumulator(str(tmp_path), size_guidance={"tensors": 0, "scalars": 0}).Reload()
    reader = ScalarReader()
    log = open_log(str(next(tmp_path.iterdir())))
    with log.file:
        reader.add(log)
    ours = reader.readings(name="log")
    steps = ours.series["step"].values
    np.testing.assert_array_equal(ours.series["a"].values, [each.value for each in theirs.Scalars("a")])
    np.testing.assert_array_equal(steps[ours.series["a"].rows], [each.step for each in theirs.Scalars("a")])
    tensors = [each.tensor_proto for each in theirs.Tensors("b/c")]
    expected = [(tensor.float_val or tensor.double_val)[0] for tensor in tensors]
    np.testing.assert_array_equal(ours.series["b/c"].values, expected)


def test_loss_curve_of_scikit_learn(tmp_path):
    network = pytest.importorskip("sklearn.neural_network")
    X = np.random.default_rng(0).normal(size=(100, 3))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        model = network.MLPRegressor(max_iter=30, random_state=0, verbose=True).fit(X, X.sum(axis=1))
    as_json, as_lines, as_text = (tmp_path / name for name in ("curve.json", "curve.txt", "out.txt"))
    as_json.write_text(json.dumps(model.loss_curve_))
    np.savetxt(as_lines, model.loss_curve_)
    as_text.write_text(printed.getvalue())
    np.testing.assert_array_equal(read_log(str(as_json)).loss, model.loss_curve_)
    np.testing.assert_allclose(read_log(str(as_lines)).loss, model.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(read_log(str(as_text)).loss, model.loss_curve_, atol=1e-7)


def test_mlflow_file_store(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(f"file://{tmp_path}/mlruns")
    with mlflow.start_run() as run:
        for step in range(20):
            mlflow.log_param("optimizer_name", "Adam")
            mlflow.log_metrics({"train_loss": 1 / (step + 1), "val/loss": 2 / (step + 1), "lr": 0.1}, step=step)
    folder = next((tmp_path / "mlruns").glob(f"*/{run.info.run_id}"))
    for named in (folder, folder / "metrics"):
        log = read_log(str(named))
        assert (log.format, log.optimizer) == ("mlflow", "adam")
        np.testing.assert_array_equal(log.step, np.arange(20))
        np.testing.assert_allclose(log.loss, 1 / np.arange(1, 21))
        np.testing.assert_allclose(log.val_loss, 2 / np.arange(1, 21))
        np.testing.assert_allclose(log.lr, 0.1)
    np.testing.assert_allclose(read_log(str(folder / "metrics" / "train_loss")).loss, 1 / np.arange(1, 21))


def test_optimizers_as_torch_prints_them(tmp_path):
    torch = pytest.importorskip("torch")
    weights = [torch.zeros(1, requires_grad=True)]
    made = {
        "adam": torch.optim.AdamW(weights), "momentum": torch.optim.SGD(weights, lr=0.1, momentum=0.9),
        "plain sgd": torch.optim.SGD(weights, lr=0.1), "rmsprop": torch.optim.RMSprop(weights),
        "adagrad": torch.optim.Adagrad(weights), "radam": torch.optim.RAdam(weights),
    }  # fmt: skip
    for kind, optimizer in made.items():
        path = tmp_path / f"{kind}.txt"
        path.write_text(f"{optimizer}\n" + "".join(f"step {i} loss: {1 / (i + 1)}\n" for i in range(20)))
        assert read_log(str(path)).optimizer == kind

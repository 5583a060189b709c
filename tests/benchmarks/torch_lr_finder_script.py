"""The script people write today: one learning-rate range test with torch-lr-finder, and its plot.

Run as ``python torch_lr_finder_script.py DATA.csv PLOT.png``; the last column is the class.
"""

from __future__ import annotations

import sys

import matplotlib as mpl
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torch_lr_finder import LRFinder

mpl.use("Agg")

import matplotlib.pyplot as plt

N_HIDDEN = 64
BATCH_SIZE = 64
N_STEPS = 100
LR_MIN, LR_MAX = 1e-7, 10.0


def main(data: str, plot: str) -> None:
    """Read the table, run the range test, save the plot."""
    torch.manual_seed(0)
    frame = pd.read_csv(data)
    labels, classes = pd.factorize(frame.iloc[:, -1], sort=True)
    features = frame.iloc[:, :-1].to_numpy("float32")
    # A constant column has no spread to divide by.
    features = (features - features.mean(axis=0)) / features.std(axis=0).clip(min=1e-6)
    loader = DataLoader(
        TensorDataset(torch.from_numpy(features), torch.from_numpy(labels).long()), batch_size=BATCH_SIZE, shuffle=True
    )
    model = nn.Sequential(nn.Linear(features.shape[1], N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, len(classes)))
    optimizer = torch.optim.Adam(model.parameters(), lr=LR_MIN)
    finder = LRFinder(model, optimizer, nn.CrossEntropyLoss(), device="cpu")
    finder.range_test(loader, end_lr=LR_MAX, num_iter=N_STEPS)
    figure, axes = plt.subplots()
    finder.plot(ax=axes)
    figure.savefig(plot)


if __name__ == "__main__":
    main(*sys.argv[1:])

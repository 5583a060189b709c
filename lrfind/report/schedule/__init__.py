"""How a schedule is shown: as a plot, on the screen, and in words."""

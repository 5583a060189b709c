"""How a race is shown: its plots, its numbers, and what they are worth."""

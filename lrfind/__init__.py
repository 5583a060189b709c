"""Find a learning rate and a schedule that can be trusted."""

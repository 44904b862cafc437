"""The planner: the best batch size for a measured model, its command, report and plots."""

"""Service times of a live model, and perf_analyzer."""

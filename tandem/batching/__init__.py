"""How big a batch should be: latency models, simulator, calibration, planner."""

"""Simulation of one station and of an ensemble under Triton's dispatch rules."""

"""Synthetic cards and photographs, the detector network, its training and evaluation."""

"""Doing what a plan says: trainings and transforms of weights; they import torch, and are imported late."""

"""Operators on integers: scales, zero points, and the float operators they stand for."""

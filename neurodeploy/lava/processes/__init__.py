"""Lava processes of our own.

Alone in their folder, for Lava executes every file beside a process in search of its models.
"""

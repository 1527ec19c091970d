"""Spiking networks trained for the compiler: torch and SpikingJelly, the extra `train`.

The only room that imports torch; nothing outside it imports this room. Neurons, surrogate
gradients and batch norms are SpikingJelly's where it has them.

One command a method, ``python -m neurodeploy.training METHOD``: a module of `training/commands/`
whose `command` is a click command. It is imported when it is called, or listed.
"""

"""Recordings of event cameras in the files that data sets come in, as arrays of events.

`aedat` reads AEDAT 3.1, `dvs_gesture` the folder of DVS128 Gesture. Neither needs torch.
"""

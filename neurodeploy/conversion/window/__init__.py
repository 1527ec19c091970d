"""Window codes: an activation is an integer, told in a window of some steps, exactly.

All of them turn stages into the same integers (`integers`); they differ in how an integer becomes
messages (`WindowScheme.lay_out`): its time, its digits, or a message that carries it.
"""

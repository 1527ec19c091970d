"""One topic a file: ``gather`` makes plain numbers of the evidence, ``show`` blocks of the numbers.

What ``gather`` returns is the section of ``--format json``. A section that has nothing to say
returns ``{"missing": why}``.
"""

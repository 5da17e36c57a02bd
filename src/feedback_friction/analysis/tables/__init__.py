"""Tables: what runs say, each number with n, an interval and what is missing.

Every function takes ``Runs`` and yields rows, of which ``analysis.table`` makes a frame: a share
``x`` stands with ``x_low`` and ``x_high``, the limits of its 95% interval. A table for which the
runs hold no data is empty, with its columns in place. All shares are from 0 to 1.
"""

"""A steering plan for one model, task and language, made and checked in one go.

What the stages from `trace` to `judge` do for a whole study, in memory and with the same functions: plans are chosen on
one half of the items and reported on the other, beside random plans.
"""

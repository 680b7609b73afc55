"""The crash test (`make soak`): a whole portal at work while its processes are killed at random and
its database falls over; afterwards every fact is accounted for, once.

It is no pytest test: it runs for minutes, in processes of its own.
"""

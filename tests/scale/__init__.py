"""The portal on several hosts (`make scale`): web servers and clusters on network namespaces of
their own, one PostgreSQL behind them. One of each is lost, and every fact is accounted for; then
one of each is added, and what it brings is measured.

It is no pytest test: it needs root, and runs for minutes.
"""

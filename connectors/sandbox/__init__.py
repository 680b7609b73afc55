"""Platforms that we run ourselves, for the demo and the tests: real HTTP, state in memory.

Nothing here imports Django or the portal: the sandbox stands where a platform would stand.
"""

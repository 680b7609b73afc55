"""How fast the portal is, as ratios to small hand-written programs that do the same, measured in
the same run: `make bench`. A row is a module with a function `measure`, listed in rows.py."""

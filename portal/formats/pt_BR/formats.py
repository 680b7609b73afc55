"""Moments as lists show them: short, so that a row stays one line."""

DATETIME_FORMAT = "d/m/Y H:i"
MONTH_DAY_FORMAT = "d/m"

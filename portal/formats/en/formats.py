"""Moments as lists show them: short, so that a row stays one line."""

DATETIME_FORMAT = "M j, Y, H:i"
MONTH_DAY_FORMAT = "M j"

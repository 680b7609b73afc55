"""The demo: the portal with a sandbox full of platforms around it. Never in production."""

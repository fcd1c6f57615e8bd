"""Data sets, runs, scoring, leaderboards and the `bench` command."""

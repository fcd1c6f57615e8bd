"""The sub-commands of `bench` that the generators own."""

"""The sub-commands of `bench` that belong to the benchmark."""

"""How far a generated data set can be trusted: pure computations, their storage, their order."""

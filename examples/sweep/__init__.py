"""A sweep: which optimizer walks down Rosenbrock's valley best?"""

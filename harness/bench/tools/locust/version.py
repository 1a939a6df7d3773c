from importlib.metadata import distributions as all; print(*(one.version for one in all(name='locust')))

"""Fitted models as files: ``saving`` by ``plain`` values, into a ``state_file``."""

"""The suite of airspeed velocity: ``asv run`` in the folder above."""

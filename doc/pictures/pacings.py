"""The pacing functions of IDCL."""

from deepdensity.inspection import PacingDisplay

PacingDisplay.from_pacings()

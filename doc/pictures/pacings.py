"""The pacing functions of IDCL, with the shares of its paper."""

from deepdensity.inspection import PacingDisplay

PacingDisplay.from_pacings(lambda_0=0.6, lambda_max=0.95)

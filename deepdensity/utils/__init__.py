"""Small tools that know nothing of estimators and training."""

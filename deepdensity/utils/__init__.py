"""Small tools that know nothing of clustering."""

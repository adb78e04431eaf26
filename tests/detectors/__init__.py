"""Of extproc/detectors."""

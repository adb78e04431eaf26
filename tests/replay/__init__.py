"""Of extproc/replay."""

"""Of extproc/cohorts."""

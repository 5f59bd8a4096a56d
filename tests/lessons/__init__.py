"""What the tests of the notebooks need: to run one, to compare what it shows, and wrong answers."""

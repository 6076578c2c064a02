"""A second reading of the definitions, written apart from the fold: what the rows of a client ought to be."""

"""The tables of people, as releases change them."""

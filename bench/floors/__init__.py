"""Floors: the least a program could do for the same work. There is no product in them."""

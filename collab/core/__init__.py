"""What every room stands on: the database, time, errors, tokens, text.

It knows Flask and SQLAlchemy, nothing of the product.
"""

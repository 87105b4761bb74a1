"""What every room speaks: frozen data, the ports, events and errors.

It imports the standard library only, and nothing of bluegreen; a change here is a change of the product's language.
"""

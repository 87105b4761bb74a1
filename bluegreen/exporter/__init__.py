"""Takes a picture of chosen namespaces, freed of everything that only blue can mean, as a Bundle.

It reads blue and never writes to a cluster; it never lets a Secret's value reach a disk, a report or an error.
"""

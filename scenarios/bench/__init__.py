"""What speed and size are promised, measured on the two clusters of the lab beside the tools that people use today.

`python -m scenarios.bench` prints one line of JSON. It shares no code with the product: it runs the installed
`bluegreen`, `kubectl` and Velero as a person would.
"""

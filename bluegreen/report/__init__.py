"""What a run tells people: lines, live view, JSON, HTML and Markdown, all from the same events.

It must never look anywhere but at the events, never print, and never trust a text in them: names are hostile input.
"""

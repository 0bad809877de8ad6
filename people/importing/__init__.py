"""Lists of companies and people on their way in: read, map, check, show what would happen, then do exactly that.

``files`` keeps the original, ``guessing`` and ``mapping`` say what the columns mean, ``validating`` makes clean values
of a row, ``staging`` writes them beside the file, ``grouping`` finds rows about the same company or person,
``companies`` and ``persons`` compare with what exists and write, ``running`` does all that in resumable steps, and
``rejects`` gives back what could not be taken.
"""

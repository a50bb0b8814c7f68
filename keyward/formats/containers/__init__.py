"""Openers of packed files, archives and documents: one module a format, each an `opened.Opener`.

Beyond that protocol an opener may say: `forward`: it reads its file from front to back and never seeks, so that it can open what is too
large to be held; `hangs`: its library is known to loop for ever on hostile input, so that it is run against an alarm; `leftovers`:
what a person calls that which stands in the raw bytes and in no member.
"""

"""`keyward drill`: a breach on local services of its own, and the whole loop run against it through the command line.

The commands that it drives know nothing of it. What it says at the end it has looked up itself, by the servers' own clients and its own
readers of files, and not by keyward's word.
"""

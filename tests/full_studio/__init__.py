"""A studio filled as a busy voice studio has it, for long tests of its pages: varied rows in every state.

Faults such as figures that overflow, or pages that are too wide, show only in a filled studio. The rows are made by the
services where these are fast, at times in the past. No person in it is real.
"""

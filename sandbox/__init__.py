"""A simulator of the providers: a separate server that speaks their wire formats and analyzes audio.

`manage.py sandbox` runs it in its own process, with its own URLconf and state. It uses neither the dashboard's
database nor its models. Where the vendors' pages are silent, `vendor_defaults.py` or the `constants.py` of the vendor's
package decides.
"""

"""The stand-in for the providers: a server of its own that speaks their wire formats and listens to audio.

It runs by `manage.py sandbox` in a process of its own, with its own URLconf and its own state; it knows
neither the dashboard's database nor its models. What the vendors leave unknown is decided in `vendor_defaults.py`,
or in `constants.py` of the vendor's package.
"""

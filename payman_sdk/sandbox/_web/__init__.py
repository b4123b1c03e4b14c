"""The sandbox's web page: what a person sees and decides, in a browser on the same machine.

`pages` and `actions` are what a browser asks for, `views` what pages show, `guards` who may ask, `live` how a page learns
that it is out of date.
"""

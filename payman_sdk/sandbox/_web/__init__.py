"""The sandbox's web page: what a person sees and decides, in a browser on the same machine.

`pages` and `actions` answer a browser, `origins` and `security` check access, `task_views` reports changes to an open page.
"""

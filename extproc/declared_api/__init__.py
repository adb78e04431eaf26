"""An API of somebody else's, as a file of the user's describes it.

Rule: what is put into a request is JSON, so that no input can end the place it stands in; an API
key is never in the file, which only says where one is.
"""

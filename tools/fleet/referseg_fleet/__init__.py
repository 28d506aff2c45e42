"""Referseg over many recordings: the `referseg` program as Ray tasks on as many machines as a cluster has."""

"""Consumers with a cursor of their own, that deliver the journal elsewhere. A folder or file per destination."""

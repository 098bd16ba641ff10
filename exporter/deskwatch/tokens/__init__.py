"""Tokens: what may be done with one, the file that holds them, and the command that makes and revokes them."""

from __future__ import annotations

from deskwatch.tokens.file import TokenFile
from deskwatch.tokens.token import ALL_SCOPES, WRITING, Scope, Token, digest, new_secret

__all__ = ["ALL_SCOPES", "WRITING", "Scope", "Token", "TokenFile", "digest", "new_secret"]

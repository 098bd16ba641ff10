"""Tests of the EVM source."""

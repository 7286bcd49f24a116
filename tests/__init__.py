"""Tests; a package so that the shared fakes can be imported."""

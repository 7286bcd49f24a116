"""Accelerators: models that run in a process of their own, which may die without taking anything along.

`link` what the two processes say · `child` the process · `process` its owner's end · `amd` cards and their troubles ·
`keeper` brings it up in the background, and gives way to the CPU.
"""

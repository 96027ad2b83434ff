"""The pure core: no clock, randomness, database, network, Flask, configuration or log.

Time, randomness, keys and limits are arguments.
"""

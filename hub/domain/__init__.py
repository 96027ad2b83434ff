"""The pure core: no clock, randomness, database, network, Flask, configuration or log. Time, keys and limits are arguments."""

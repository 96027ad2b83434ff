"""Hub to hub: what is handed to a partner, what is taken from one, and how that keeps going."""

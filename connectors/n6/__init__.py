"""Events of CERT Polska's n6, by its published formats: see README.md."""

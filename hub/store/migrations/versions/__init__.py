"""One file per step of the schema, in order. A step that was released never changes."""

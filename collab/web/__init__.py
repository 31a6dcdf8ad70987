"""The front rooms: one blueprint for each audience, and what they share (hooks, access, forms, errors, templating)."""

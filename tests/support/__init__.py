"""What tests stand on: real databases, a real mail server, a browser that behaves like a person's."""
